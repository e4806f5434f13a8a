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

## docs/tilgang.md

tilgang-tittel = Hvem får lese hva
tilgang-innledning =
    Laget av dataene med `samspor contracts generate`; rettes i `contracts/tilgang.py` og `contracts/alder.py`.

    Det som ikke står i en tabell, er nektet, og alt i en annen kommune er nektet før tabellen leses. Står flere rader om
    det samme, gjelder den første der alt holder. Er barnet sperret eller slettet, ser bare revisor noe, og bare
    metadata. Politiet har ingen rolle. Vilkårene oppfyller den som åpner innholdet (`contracts/innsyn.py`), fordi bare
    innholdet kan si det; er adressen beskyttet, vises dessuten ingen skole, kommune eller sted til noen.
tilgang-hva = Hva
tilgang-ser = Ser
tilgang-nar = Når
tilgang-vilkar = Vilkår
tilgang-full = alt
tilgang-status = kun status
tilgang-metadata = metadata
tilgang-rolle-fagperson = Fagperson i en tjeneste
tilgang-rolle-koordinator = Koordinator
tilgang-rolle-koordinerende-enhet = Koordinerende enhet
tilgang-rolle-revisor = Revisor
tilgang-rolle-barn = Barnet selv
tilgang-rolle-foresatt = Foresatt
tilgang-rolle-frivillig = Frivillig organisasjon
tilgang-rolle-leder = Leder
tilgang-rolle-slt = SLT-koordinator
tilgang-rolle-drift = Drift
tilgang-kolonne-egen = egen tjenestes hendelser
tilgang-kolonne-n = andres, N (administrativt)
tilgang-kolonne-t = andres, T (taushetsbelagt)
tilgang-kolonne-h = andres, H (helse)
tilgang-kolonne-x = andres, X (barnevern)
tilgang-kolonne-samtykke = samtykkeregisterets hendelser
tilgang-kolonne-oppgave = oppgaver og plikter
tilgang-kolonne-barn = at barnet finnes, og navnet
tilgang-kolonne-lesing = hvem som har lest
tilgang-kolonne-tall = tall
tilgang-krav-koordinator-for-barnet = er barnets koordinator
tilgang-krav-samtykke = et samtykke nevner tjenesten, kategorien og henne
tilgang-krav-skjermet-rett = har retten «skjermet»
tilgang-krav-ingen-skjermet-part = ingen av barnets samtykker røper en skjermet tjeneste for henne
tilgang-krav-kjente-samtykker = foresatte får vite om hvert av barnets samtykker
tilgang-krav-koordinering = gjelder koordinator eller plan
tilgang-krav-eier = oppgaven er tjenestens egen
tilgang-krav-synlig-grunnlag = hun får se alt det hviler på
tilgang-krav-uten-x = det hviler ikke på en annen tjenestes X, og nevner ingen annen skjermet tjeneste
tilgang-krav-kjent-barn = tjenesten har sendt om barnet, har en oppgave, eller et samtykke nevner den
tilgang-krav-eget-barn = registeret har henne som barnet selv eller foresatt til det
tilgang-krav-barnets-alder = barnet er gammelt nok til å se det selv
tilgang-krav-foresattes-alder = barnet er så ungt at foresatte ser alt
tilgang-krav-foresattes-begrensede-alder = barnet er yngre enn der foresatte ikke ser mer
tilgang-krav-ikke-under-undersokelse = ingen undersøkelse pågår
tilgang-krav-leser-kan-nevnes = at tjenesten har lest, røper ingenting
tilgang-vilkar-kun-om-barnet = ingenting om andre enn barnet
tilgang-vilkar-uten-melder = ingenting om melderen
tilgang-vilkar-uten-sted = uten skole, kommune og sted
tilgang-vilkar-sma-tall = små celler undertrykkes
tilgang-vilkar-anonymt = ingenting om ett barn
tilgang-aldre = Aldre
tilgang-aldre-innledning =
    Hele år etter norsk kalender. `helse` gjelder det en helsetjeneste sier i andre kategorier, `andre` alt annet.
    Kommunen endrer dem med `SAMSPOR_ALDERSREGLER`. Henvisninger merket «ikke kvalitetssikret» er ikke lest i loven.
tilgang-kategori = Kategori
tilgang-alder-samtykker-selv = Barnet kan samtykke fra
tilgang-alder-foreldre-til = Foreldre kan samtykke til
tilgang-alder-begge-foreldre = Krever begge foreldre
tilgang-alder-foresatt-begrenset = Foresatte ser kun status fra
tilgang-alder-foresatt-slutt = Foresatte ser ingenting fra
tilgang-alder-barn-innsyn = Barnet ser selv fra
tilgang-bestemmelser = Bestemmelser
tilgang-ja = ja
tilgang-nei = nei
