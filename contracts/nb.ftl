# Kontraktens tekster: hva som er brutt og hva man gjør med det, kommandoen «samspor contracts», og hendelsestabellen.

## Brudd. Hvor det er, står foran.

hendelse-fjernet = hendelsestypen er fjernet, eller kan ikke lenger sendes av denne avsenderen
    .gjor = Legg typen tilbake i contracts/hendelser/typer.py. Det som er publisert, må alltid kunne leses; en type som ikke skal brukes mer, slutter avsenderen bare å sende.
versjon-fjernet = denne versjonen av hendelsens data er fjernet
    .gjor = Legg modellen tilbake i EventType.tidligere, eldste først.
felt-fjernet = feltet er fjernet eller har fått et nytt navn
    .gjor = Legg det tilbake, gjerne som valgfritt. Et nytt navn er et nytt, valgfritt felt ved siden av det gamle.
nytt-felt-pakrevd = det nye feltet er påkrevd, og det mangler i alt som er publisert til nå
    .gjor = Gi feltet en standardverdi, for eksempel None.
felt-ble-pakrevd = feltet var valgfritt og er blitt påkrevd
    .gjor = Gjør det valgfritt igjen.
type-innsnevret = typen er innsnevret fra { $fra } til { $til }
    .gjor = Tillat det som var tillatt før i tillegg til det nye, eller legg det nye i et nytt, valgfritt felt.
verdi-fjernet = verdier er fjernet: { $fra }
    .gjor = Legg verdiene tilbake; nye kan komme i tillegg.
grense-strammet = grensen er strammet{ $fra ->
    [""] { "" }
   *[other] {" "}fra { $fra }
 } til { $til }
    .gjor = Ta grensen tilbake til det den var, og kontroller det nye kravet hos avsenderen.
ble-lukket = felt som ikke er nevnt, var tillatt og er det ikke lenger
    .gjor = Tillat ukjente felt igjen.
standardverdi-endret = standardverdien er endret fra { $fra } til { $til }, så det som er publisert uten feltet, betyr noe annet
    .gjor = Ta standardverdien tilbake.
ukjent-endring = nøkkelordet { $fra } er nytt eller endret, og ingen har vist at det gamle fortsatt godtas
    .gjor = Ta endringen tilbake, eller lær contracts/narrowing.py hva nøkkelordet betyr.
egenskap-endret = er endret fra { $fra } til { $til }
    .gjor = Ta endringen tilbake: samtykker som er gitt, nevner kategorien, og leserne er valgt etter skjermingen. En annen kategori eller skjerming er en ny hendelsestype.
eksempel-ulest = eksemplet som ble tatt vare på, kan ikke leses lenger: { $felt }
    .gjor = Rett modellen så den leser det som alt er publisert.
brudd-lost = Må det brytes: lag en ny versjon (EventType.versjon + 1, den gamle modellen i EventType.tidligere).

## samspor contracts

hjelp-contracts = Kontrakten: skjemaer, AsyncAPI-dokument og eksempler, laget av koden.
hjelp-contracts-check = Sammenlign kontrakten som er sjekket inn, med koden. Feiler på endringer som bryter den.
hjelp-contracts-generate = Lag kontrakten på nytt av koden. Eksempler som finnes, røres ikke.
hjelp-contracts-mappe = Mappen med kontrakten.
hjelp-contracts-godta-brudd = Skriv også når kontrakten brytes. Bare for det som aldri er publisert.
hjelp-contracts-dokument = Siden med alle hendelsestypene.
hjelp-contracts-json = Skriv JSON på stdout.
contracts-ingen = Fant ingen kontrakt i { $mappe }.
    .gjor = Kjør «samspor contracts generate», eller pek på riktig mappe med --mappe.
contracts-ulest = Kunne ikke lese { $fil } som en del av kontrakten.
    .gjor = Hent filen fra git igjen, eller slett den hvis den ikke hører hjemme der.
contracts-brutt = { $antall ->
    [one] Ett brudd på kontrakten.
   *[other] { $antall } brudd på kontrakten.
 }
contracts-hel = Kontrakten er hel: { $antall } skjemaer.
contracts-generer = { $nye } nye og { $endret } endrede skjemaer er ikke sjekket inn. Kjør «samspor contracts generate» og sjekk inn det den skriver.
contracts-skrevet = { $antall ->
    [0] Alt var à jour.
    [one] Skrev én fil.
   *[other] Skrev { $antall } filer.
 }

## docs/hendelser.md

tabell-tittel = Hendelser
tabell-innledning =
    Laget av koden med `samspor contracts generate`; rettes i `contracts/hendelser/typer.py`.

    `type` på konvolutten er `no.samspor.<avsender>.<type>`. Kategorien er det et samtykke nevner. Skjerming: N administrativ,
    T taushetsbelagt, H helse, X barnevern. Det barnevernet sender, er alltid X, og det en helsetjeneste sender under
    taushetsplikt, er H. Hver hendelse har dessuten `nokkel` (hva den gjelder), `versjon` (en høyere erstatter) og
    `tilbaketrukket`. Skjemaet beskriver klarteksten inne i forseglingen; `dataschema` på konvolutten er
    `urn:samspor:<avsender>.<type>:<versjon>`, og der avsenderen ikke har et eget skjema, gjelder det for alle tjenester.
tabell-alle = Alle tjenester
tabell-type = Type
tabell-kategori = Kategori
tabell-skjerming = Skj.
tabell-innsats = Innsats
tabell-involvering = Involvering
tabell-data = Data
tabell-filer = Filer
tabell-skjema = skjema
tabell-eksempel = eksempel
tabell-valgfri = valgfri
tabell-egen-kanal = (egen kanal til barnevernet, aldri på en tidslinje)
tabell-slag-string = tekst
tabell-slag-integer = heltall
tabell-slag-number = tall
tabell-slag-boolean = ja/nei
tabell-slag-date = dato
tabell-slag-date-time = tidspunkt
tabell-slag-array = liste av
tabell-slag-object = objekt
