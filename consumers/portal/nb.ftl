# Portalens tekster. En id er teksten sin plass med bindestrek: type-*, kategori-*, felt-*, tjeneste-* osv. er navn på
# det kontrakten har; resten er sidene.

## Felles

portal-navn = Samspor
portal-hopp = Hopp til innholdet
portal-meny = Hovedmeny
portal-start = Oppgaver
portal-oversikt = Oversikt
portal-sok = Finn barn
portal-innsyn = Innsyn
portal-logg-ut = Logg ut
portal-demo = Demonstrasjon: alle personer er syntetiske.
portal-bunn = Samspor viser bare det du har lov til å se akkurat nå. Hver visning blir loggført.

## Innlogging

innlogging-tittel = Logg inn
innlogging-demo = Velg hvem du vil se Samspor som. Alle personer og barn i demonstrasjonen er syntetiske.
innlogging-token = Innlogging skjer med tilgangsbevis
innlogging-token-forklaring = Denne installasjonen har ingen demonstrasjonspersoner. Åpne Samspor fra fagsystemet ditt, som sender med tilgangsbeviset ditt.
innlogging-utlopt = Du har vært logget inn så lenge at økten er avsluttet. Logg inn på nytt for å fortsette.

## Startside

start-tittel = Mine oppgaver
start-tittel-uten = Oversikt
start-forfalt = Forfalt
start-denne-uken = Frist de neste sju dagene
start-senere = Senere
start-uten-frist = Uten frist
start-ingen-oppgaver = Du har ingen åpne oppgaver.
start-ingen-oppgaver-hjelp = Nye oppgaver kommer hit av seg selv; du trenger ikke å laste siden på nytt.
start-oppgaver-for-rollen = Rollen din har ikke egne oppgaver.
start-varsler = Nye varsler
start-ingen-varsler = Ingen nye varsler siden du åpnet siden.
start-strom-paa = Varsler kommer direkte hit.
start-strom-av = Mistet kontakten med varslene. Prøver igjen av seg selv.
start-barn-koordinator = Mine barn
start-barn-fagperson = Barn tjenesten følger opp
start-barn-koordinerende-enhet = Barn med oppgaver om koordinering
start-barn-revisor = Barn med hendelser
start-flere-barn = Det er flere enn disse.
start-ingen-barn = Ingen barn å vise.
start-finn = Finn et barn
start-revisor = Som revisor kan du følge veien til en hendelse. Du ser hva slags hendelse det var, når og hva som ble avgjort, men aldri innholdet.

varsel-opprettet = Ny oppgave
varsel-utfort = Oppgave utført
varsel-bortfalt = Oppgave bortfalt
varsel-tilbudt = Tilbudt dere
varsel-overtatt = Overtatt
varsel-avvist = Sagt nei til
varsel-eskalert = Må avgjøres
varsel-apne = Åpne oppgaven

revisjon-felt = Hendelses-id eller barne-id
revisjon-hjelp = Fra kvitteringen til en tjeneste, eller fra adressen til en side.
revisjon-knapp = Vis metadata

## Innsyn

innsyn-tittel = Innsyn
innsyn-velg = Velg hvem du vil se opplysningene om.
innsyn-ingen = Vi har ingen opplysninger knyttet til deg.
innsyn-ingen-hjelp = Mener du at det er feil, ta kontakt med kommunen, som registrerer hvem som er foresatt.
innsyn-om = Innsyn: { $navn }
innsyn-ingress = Her står det tjenestene har delt, hvilke samtykker som gjelder, og hvem som har lest.
innsyn-unntak = Noe kan være unntatt etter reglene: det som gjelder andre, hvem som har meldt fra, og det som ikke kan vises mens barnevernet undersøker. Er barnet gammelt nok til å bestemme selv, bestemmer barnet hva foresatte får se. Spør tjenesten om du lurer på noe.
innsyn-tjenester = Tjenester som har delt noe
innsyn-hendelser = Det som er registrert
innsyn-oppgaver = Det tjenestene skal gjøre
innsyn-lesinger = Hvem som har lest
innsyn-lesinger-hjelp = Tjeneste og rolle, når, hva og hvorfor. Navnet på den ansatte står ikke her. Også dine egne besøk på denne siden er med.
innsyn-status = Status
innsyn-ingen-hendelser = Ingenting du kan se er registrert.
innsyn-ingen-samtykker = Ingen samtykker du kan se.
innsyn-ingen-oppgaver = Ingen oppgaver du kan se.
innsyn-ingen-lesinger = Ingen har lest noe du kan se.
innsyn-lest-hva = { $hva }. Formål: { $formal }.
innsyn-barnets-side = Barnets side
innsyn-avkortet = De { $antall } nyeste vises her. Alle er med når du laster ned.
innsyn-flere-lesinger = Det finnes eldre lesinger enn disse. Spør kommunen om du vil ha dem.
innsyn-laget = Laget { $tid }.
innsyn-last-ned = Last ned
innsyn-last-ned-hjelp = Filen inneholder alt du kan se, og er din å ta vare på. Nedlastingen blir loggført.
innsyn-last-ned-html = Som nettside du kan åpne og skrive ut
innsyn-last-ned-json = Som datafil (JSON)
innsyn-utfall-full = Fikk se
innsyn-utfall-status = Fikk se status
innsyn-utfall-metadata = Fikk se metadata
innsyn-utfall-deny = Fikk ikke se

## Søk

sok-tittel = Finn barn
sok-felt = Fødselsnummer eller navn
sok-hjelp = Ellevesifret nummer, eller hele eller deler av navnet. Det du skriver, lagres ikke i adressefeltet.
sok-knapp = Søk
sok-tomt = Skriv et fødselsnummer eller et navn.
sok-ingen = Fant ingen barn du har tilgang til
sok-ingen-hjelp = Sjekk at nummeret eller navnet er riktig. Barn du ikke følger opp, vises ikke her.
sok-treff = Treff

## Barnets side

barn-uten-navn = Barn { $kort }
barn-innhold = På denne siden
barn-tidslinje = Tidslinje
barn-oppgaver = Oppgaver
barn-samtykker = Samtykker
barn-tjenester = Tjenester rundt barnet
barn-ingen-hendelser = Ingen hendelser du kan se.
barn-ingen-oppgaver = Ingen åpne oppgaver du kan se.
barn-ingen-samtykker = Ingen samtykker du kan se.
barn-kun-status = Kun status
barn-kun-status-forklaring = Du kan se at tjenesten er inne, ikke hva det gjelder.
barn-skjermet = Skjermet
barn-kun-metadata = Kun metadata
barn-uleselig = Innholdet kan ikke leses lenger.
barn-vei = Hendelsens vei
barn-antall = { $antall ->
    [one] { $antall } hendelse
   *[other] { $antall } hendelser
}
barn-siste = sist { $dato }
barn-lukkede = Avsluttede oppgaver ({ $antall })
barn-flere = Viser de { $antall } nyeste hendelsene.
barn-trukket = Trukket tilbake av avsender

status-apner = Kontakt opprettet
status-fortsetter = Kontakt pågår
status-lukker = Kontakt avsluttet
status-lukker-alle = Samarbeid avsluttet
status-ingen = Registrert

## Oppgaver

oppgave-eier = Ansvarlig
oppgave-frist = Frist
oppgave-fristslag-lovfrist = lovfrist
oppgave-fristslag-lokal-frist = lokal frist
oppgave-uten-frist = Uten frist
oppgave-forfalt = Forfalt
oppgave-forfalt-dager = { $dager ->
    [one] { $dager } dag over fristen
   *[other] { $dager } dager over fristen
}
oppgave-i-dag = Frist i dag
oppgave-om-dager = { $dager ->
    [one] om { $dager } dag
   *[other] om { $dager } dager
}
oppgave-bestemmelse = Bestemmelse
oppgave-ikke-kvalitetssikret = ikke kvalitetssikret
oppgave-lukkes-av = Lukkes når dette blir registrert
oppgave-utlost = Utløst av
oppgave-status-aapen = Åpen
oppgave-status-oppfylt = Utført
oppgave-status-bortfalt = Bortfalt
oppgave-folg-opp = Følg opp
flyt-tilbudt = Tilbudt { $til }
flyt-overtatt = Tatt
flyt-eskalert = Løftet til { $til }
flyt-uenighet = Uenighet, avgjøres av { $til }
flyt-handlinger = Hva vil du gjøre?
flyt-ingen-mottakere = Ingen andre tjenester kan få vite det oppgaven hviler på. Innhent samtykke for å kunne tilby den.
flyt-mottaker = Til hvem
flyt-grunn = Grunn
flyt-kommentar = Kommentar
flyt-kommentar-grunn = Kommentar (må fylles ut når grunnen er «Annet»)
flyt-ny-kommentar = Ny kommentar
flyt-kommentar-hjelp = Lagres forseglet og vises bare dem som kan se oppgaven.
flyt-skjedd = Hva som har skjedd
flyt-svar-innen = Svar innen { $dato }
handling-ta = Ta oppgaven
handling-tilby = Tilby en annen tjeneste
handling-avvis = Si nei
handling-uenig = Meld uenighet
handling-utfor = Oppgaven er utført
handling-avgjor = Avgjør hvem som skal ha den
handling-kommenter = Skriv kommentar
handling-ta-stafett = Ta stafettpinnen
handling-tilby-stafett = Tilby stafettpinnen
handling-avvis-stafett = Si nei
stafett-tittel = Stafettpinnen
stafett-holder = Holder stafettpinnen
stafett-se = Se og send videre
stafett-forklaring = Den som holder pinnen, har tråden for barnet, og beholder den til den neste har sagt ja.
steg-overtatt = { $av } tok oppgaven
steg-tilbudt = { $av } tilbød { $til }
steg-avvist = { $til } sa nei
steg-eskalert = Løftet til { $til }
steg-forfalt = Fristen gikk ut: løftet til { $til }
steg-uenighet = Uenighet, avgjøres av { $til }
steg-avgjort = { $av } avgjorde at { $til } har oppgaven
steg-utfort = { $av } meldte oppgaven utført
steg-kommentar = { $av } skrev
steg-begynte = { $til } fikk stafettpinnen ved første samarbeid
steg-mottatt = { $til } tok over etter { $fra }
steg-avslatt = { $til } sa nei
steg-tiden = Fristen
avslag-ikke-var-oppgave = Ikke vår oppgave
avslag-annen-naermere = En annen tjeneste er nærmere
avslag-mangler-kapasitet = Mangler kapasitet
avslag-mangler-samtykke = Mangler samtykke
avslag-annet = Annet
avslag-ikke-svart = Ikke svart innen fristen
avslag-frist-passert = Fristen gikk ut
avslag-avslatt = To nei
forklart-tittel = Hvorfor denne oppgaven
forklart-fakta = Den hviler på dette:
oppgave-skjult = Oppgave (kun metadata)

## Samtykker

samtykke-fra-til = Fra { $fra } til { $til }
samtykke-om = Gjelder
samtykke-periode = Gyldig
samtykke-fra-dato = fra { $fra }
samtykke-fra-til-dato = { $fra } til { $til }
samtykke-hvem = Gitt av
samtykke-formal = Formål
samtykke-status-gitt = Gjelder nå
samtykke-status-venter = Venter på den andre forelderen
samtykke-status-trukket = Trukket
samtykke-status-utlopt = Utløpt
samtykke-status-avslatt = Ikke gitt
samtykke-status-kommende = Gjelder fra senere dato
samtykke-hvem-selv = barnet eller ungdommen selv
samtykke-hvem-forelder = forelder
samtykke-hvem-begge-foreldre = begge foreldre
samtykke-hvem-verge = verge

## Hendelsens vei

vei-tittel = Hendelsens vei
vei-mottatt = Mottatt
vei-avgjort = Avgjort
vei-publisert = Publisert
vei-ikke-publisert = Ikke publisert.
vei-behandlet = Behandlet
vei-behandlet-tekst = Lagt på barnets tidslinje.
vei-ikke-behandlet = Ikke kommet til samordningen.
vei-oppgave = Oppgave
vei-ingen-oppgave = Hendelsen utløste ingen oppgave du kan se.
vei-varsel = Varsel
vei-ingen-varsel = Ingen varsler.
vei-skjedde = Skjedde
vei-tid = Tidspunkt
vei-hvem = Utført av
vei-kategori = Kategori
vei-grunn = Begrunnelse
vei-samtykke = Samtykke
vei-samtykke-id = samtykke { $kort }
vei-lovversjon = Lovtabell
vei-emne = Emne
vei-plass = Plass
vei-partisjon = partisjon { $partisjon }, nummer { $offset }
vei-hendelse-id = Hendelses-id
vei-sporing = Sporings-id
vei-status = Status
vei-til-barnet = Til barnets side
vei-metadata = Du ser bare metadata.

kvittering-mottatt = Mottatt, ikke avgjort ennå
kvittering-frigitt = Frigitt
kvittering-skjermet = Skjermet: synlig bare for tjenesten selv
kvittering-venter = Venter på samtykke
kvittering-avvist = Avvist: ingen grunnlag for å dele

## Feil

feil-ikke-funnet = Siden finnes ikke
feil-ikke-funnet-hjelp = Adressen er feil, eller så har du ikke tilgang. Av hensyn til barna sier vi ikke hvilken av delene.
feil-utilgjengelig = Samspor får ikke hentet opplysningene akkurat nå
feil-utilgjengelig-hjelp = En del av systemet svarer ikke. Ingenting er gått tapt. Vent et øyeblikk og prøv igjen. Haster det for barnet, ring tjenesten direkte.
feil-prov-igjen = Prøv igjen
feil-til-start = Til mine oppgaver
feil-intern = Noe gikk galt hos oss
feil-intern-hjelp = Feilen er registrert. Prøv igjen, eller gå til oppgavene dine.
feil-avvist = Skjemaet kom ikke fra denne siden
feil-avvist-hjelp = Av sikkerhetshensyn tar vi bare imot skjemaer fra Samspor selv. Gå til oppgavene dine og prøv igjen.
feil-ugyldig = Vi forstod ikke det du sendte
feil-ugyldig-hjelp = Gå tilbake og prøv igjen.

## Roller

rolle-fagsystem = Fagsystem
rolle-system = System
rolle-fagperson = Fagperson
rolle-koordinator = Koordinator
rolle-barnekoordinator = Barnekoordinator
rolle-koordinerende-enhet = Koordinerende enhet
rolle-leder = Leder
rolle-revisor = Revisor
rolle-foresatt = Foresatt
rolle-barn = Barn
rolle-frivillig = Frivillig organisasjon
rolle-slt = SLT-koordinator
rolle-drift = Drift

persona-barnekoordinator = Barnekoordinator
persona-barnekoordinator-forklaring = Følger familier med sammensatte behov. Kan se at barnevernet er inne.
persona-laerer = Lærer
persona-laerer-forklaring = Fagperson i skolen. Ser skolens egne hendelser og det samtykker åpner for.
persona-barnevernspedagog = Barnevernspedagog
persona-barnevernspedagog-forklaring = Fagperson i barnevernet.
persona-helsesykepleier = Helsesykepleier
persona-helsesykepleier-forklaring = Fagperson på helsestasjonen.
persona-nav-veileder = NAV-veileder
persona-nav-veileder-forklaring = Fagperson i NAV.
persona-koordinerende-enhet = Koordinerende enhet
persona-koordinerende-enhet-forklaring = Oppnevner barnekoordinator og koordinator, og følger opp individuell plan.
persona-foresatt = Foresatt
persona-foresatt-forklaring = Mor til Jonas (8) og Amina (13). Ser det som er registrert om dem, og hvem som har lest.
persona-barn = Ungdom
persona-barn-forklaring = Nora (17). Ser det som er registrert om henne selv.
persona-revisor = Revisor
persona-revisor-forklaring = Ser metadata om hva som er delt og hvorfor, aldri innhold.

## Tjenester

tjeneste-skole = Skole
tjeneste-helsestasjon = Helsestasjon
tjeneste-barnevern = Barnevern
tjeneste-nav = NAV
tjeneste-koordinerende-enhet = Koordinerende enhet
tjeneste-samtykke = Samtykke
tjeneste-samordning = Samordning
tjeneste-familie = Familien
tjeneste-koordinator = Barnets koordinator
tjeneste-barnekoordinator = Barnekoordinator
tjeneste-skjermet = Skjermet tjeneste

## Kategorier

kategori-barnevern = Barnevern
kategori-bekymring = Bekymring
kategori-fravar = Fravær
kategori-helseoppfolging = Helseoppfølging
kategori-helseprogram = Helsestasjonsprogrammet
kategori-henvisning = Henvisning
kategori-identitet = Identitet
kategori-koordinering = Koordinering
kategori-medvirkning = Medvirkning
kategori-nav-oppfolging = Oppfølging i NAV
kategori-nav-sosial = Sosiale tjenester i NAV
kategori-overgang = Overgang
kategori-samtykke = Samtykke
kategori-skolegang = Skolegang
kategori-skolemiljo = Skolemiljø
kategori-tilrettelegging = Tilrettelegging
kategori-tjeneste = Tjeneste til familien

## Hendelsestyper

type-elevforhold-startet = Begynte på skolen
type-elevforhold-avsluttet = Sluttet på skolen
type-fravaer-terskel-passert = Fravær over terskelen
type-skolemiljo-meldt = Skolemiljøsak meldt
type-skolemiljo-plan-opprettet = Plan for skolemiljøet laget
type-skolemiljo-evaluert = Skolemiljøplan evaluert
type-skolemiljo-avsluttet = Skolemiljøsak avsluttet
type-ppt-henvist = Henvist til PPT
type-sakkyndig-vurdering-mottatt = Sakkyndig vurdering mottatt
type-ito-vedtak = Vedtak om individuelt tilrettelagt opplæring
type-oppfolgingstjenesten-tilmeldt = Meldt til oppfølgingstjenesten
type-oppfolgingstjenesten-avsluttet = Oppfølgingstjenesten avsluttet
type-konsultasjon-gjennomfort = Konsultasjon gjennomført
type-konsultasjon-ikke-mott = Møtte ikke til konsultasjon
type-skolestartundersokelse-gjennomfort = Skolestartundersøkelse gjennomført
type-atte-trinnssamtale-gjennomfort = Samtale på åttende trinn gjennomført
type-oppfolging-utvidet = Utvidet oppfølging
type-oppfolging-avsluttet = Oppfølging avsluttet
type-oppfolging-startet = Oppfølging startet
type-journal-overfort = Journal overført
type-behov-meldt = Behov for barnekoordinator meldt
type-barnekoordinator-vurdert = Barnekoordinator vurdert
type-barnekoordinator-oppnevnt = Barnekoordinator oppnevnt
type-barnekoordinator-avslatt = Barnekoordinator avslått
type-koordinator-oppnevnt = Koordinator oppnevnt
type-individuell-plan-tilbudt = Individuell plan tilbudt
type-individuell-plan-takket-nei = Familien takket nei til individuell plan
type-individuell-plan-opprettet = Individuell plan laget
type-individuell-plan-evaluert = Individuell plan evaluert
type-henvendelse-mottatt = Henvendelse mottatt
type-henvendelse-konkludert = Henvendelse konkludert
type-tilbakemelding-sendt = Tilbakemelding sendt til melder
type-tilbakemelding-gitt = Familien ga tilbakemelding
type-undersokelse-startet = Undersøkelse startet
type-undersokelse-frist-utvidet = Frist for undersøkelse utvidet
type-undersokelse-konkludert = Undersøkelse konkludert
type-tiltak-iverksatt = Tiltak iverksatt
type-tiltak-evaluert = Tiltak evaluert
type-tiltak-avsluttet = Tiltak avsluttet
type-plan-opprettet = Plan laget
type-vedtak-fattet = Vedtak fattet
type-flytting = Flytting
type-ettervern-tilbudt = Ettervern tilbudt
type-ettervern-konkludert = Ettervern konkludert
type-nav-kontor-tildelt = NAV-kontor tildelt
type-soknad-status-endret = Ny status på søknad
type-sak-status-endret = Ny status på sak
type-sak-avsluttet = Sak avsluttet
type-dokumentasjon-etterspurt = Dokumentasjon etterspurt
type-forelopig-svar-gitt = Foreløpig svar gitt
type-vilkar-satt = Vilkår satt
type-kontaktperson-tildelt = Kontaktperson tildelt
type-aktivitet-endret = Aktivitet endret
type-undring-registrert = Undring registrert
type-henvisning-sendt = Henvisning sendt
type-henvisning-besvart = Henvisning besvart
type-medvirkning-gjennomfort = Barnet er hørt
type-overgang-planlagt = Overgang planlagt
type-overgang-mottak-bekreftet = Mottak bekreftet
type-tjeneste-innvilget = Tjeneste innvilget
type-tjeneste-avsluttet = Tjeneste avsluttet
type-lag-endret = Laget rundt barnet endret
type-samarbeid-avsluttet = Samarbeid avsluttet
type-samtykke-gitt = Samtykke gitt
type-samtykke-trukket = Samtykke trukket
type-samtykke-utlopt = Samtykke utløpt
type-samtykke-avslatt = Samtykke ikke gitt
type-identitet-koblet = Saken er koblet til barnet
type-identitet-frakoblet = Saken er koblet fra barnet
type-oppgave-opprettet = Oppgave opprettet
type-oppgave-utfort = Oppgave utført
type-oppgave-bortfalt = Oppgave bortfalt
type-bekymringsmelding-sendt = Bekymringsmelding sendt til barnevernet
type-kontekst-fodselsdag-passert = Barnet har fylt år
type-plikt-utlost = Plikt utløst
type-plikt-bortfalt = Plikt bortfalt
type-oppgave-tilbudt = Oppgave tilbudt
type-oppgave-overtatt = Oppgave overtatt
type-oppgave-avvist = Oppgave avvist
type-oppgave-eskalert = Oppgave løftet til ledelsen
type-stafett-tilbudt = Stafettpinnen tilbudt
type-stafett-mottatt = Stafettpinnen tatt imot
type-stafett-avslatt = Stafettpinnen ikke tatt imot
type-varsel-sendt = Varsel sendt
type-varsel-kvittert = Varsel kvittert
type-varsel-bortfalt = Varsel bortfalt
type-skjermet = Skjermet hendelse

## Felter i hendelsene

felt-abonnement = Abonnement
felt-aktor = Utført av
felt-alder = Alder
felt-alvorlig = Alvorlig
felt-annen-subject = Annen barne-id
felt-ansvarlig-rolle = Ansvarlig rolle
felt-arsak = Årsak
felt-barn-orientert = Barnet er orientert
felt-beskrivelse = Beskrivelse
felt-bestemmelser = Bestemmelser
felt-bti-niva = BTI-nivå
felt-dager = Dager
felt-dato = Dato
felt-dokumentert = Dokumentert
felt-eier = Ansvarlig
felt-enhet = Enhet
felt-evalueres-innen = Evalueres innen
felt-evalueringsdato = Evalueringsdato
felt-familien-onsker = Familien ønsker det
felt-foresatte-orientert = Foresatte er orientert
felt-form = Form
felt-fra = Fra
felt-fra-kommune = Fra kommune
felt-fra-tjeneste = Fra
felt-frist = Frist
felt-fristslag = Slags frist
felt-gjelder = Gjelder
felt-grunn = Grunn
felt-gyldig-fra = Gyldig fra
felt-hjelpernes-kunnskap = Hjelpernes kunnskap
felt-kanal = Kanal
felt-kategori = Kategori
felt-kategorier = Kategorier
felt-kode = Kode
felt-langvarig = Langvarig
felt-lovhjemmel = Lovhjemmel
felt-medvirkning = Medvirkning
felt-melderkode = Melder
felt-mottaker = Mottaker
felt-nav-kontor = NAV-kontor
felt-neste-steg = Neste steg
felt-nytte = Nytte
felt-oppgave = Oppgave
felt-periode = Periode
felt-plantype = Plantype
felt-plikt = Plikt
felt-programpunkt = Programpunkt
felt-regel = Regel
felt-roller = Roller
felt-sak = Saksreferanse
felt-saksinnhold = Saksinnhold
felt-sammensatt = Sammensatt
felt-slag = Slag
felt-slutt = Slutt
felt-status = Status
felt-tidspunkt = Tidspunkt
felt-svar-innen = Svar innen
felt-til = Til
felt-til-kommune = Til kommune
felt-til-tjenester = Til
felt-tillit = Tillit
felt-timer = Timer
felt-trinn = Trinn
felt-ufodt = Ufødt
felt-undersokelse = Fører til undersøkelse
felt-utfall = Utfall
felt-utloper = Utløper
felt-varsel = Varsel
felt-virkning = Virkning

verdi-fra-til = { $fra } til { $til }
verdi-ja = ja
verdi-nei = nei
verdi-gjelder-egen = personen selv
verdi-gjelder-foresatt = foresatt
verdi-slag-1 = søknad
verdi-slag-2 = bekymringsmelding
verdi-slag-barnehage-skole = fra barnehage til skole
verdi-slag-skole-vgs = fra ungdomsskole til videregående
verdi-slag-skole-nav = fra skole til NAV
verdi-slag-sykehus-kommune = fra sykehus til kommune
verdi-slag-kommune-kommune = fra kommune til kommune
verdi-slag-omsorg-ettervern = fra omsorgstiltak til ettervern
verdi-utfall-mottatt = mottatt
verdi-utfall-avslatt = avslått
verdi-utfall-videresendt = videresendt
verdi-tidspunkt-for = før
verdi-tidspunkt-etter = etter
verdi-regel-10-dager-skolear = ti dager i skoleåret
verdi-regel-20-dager-skolear = tjue dager i skoleåret
verdi-regel-5-udokumenterte-dager-30-dager = fem udokumenterte dager på tretti dager
verdi-fristslag-lovfrist = lovfrist
verdi-fristslag-lokal-frist = lokal frist
verdi-status-mottatt = mottatt
verdi-status-under-behandling = under behandling
verdi-status-ferdigbehandlet = ferdig behandlet
verdi-status-behandles-ikke = behandles ikke

## Regler: hva oppgaven ber om

regel-samarbeid = Avklar samarbeid og hvem som skal samordne
regel-bekymringsmelding = Gå gjennom bekymringsmeldingen
regel-frafall = Forebygg frafall sammen
regel-barnekoordinator = Vurder barnekoordinator
regel-barnekoordinator-oppnevning = Avgjør om barnekoordinator skal oppnevnes
regel-barnets-syn = Innhent barnets syn
regel-eget-samtykke = Innhent den unges eget samtykke
regel-ettervern-oppfolging = Ta kontakt med den unge i ettervern
regel-ettervern-svar = Gjør tilbudet om ettervern kjent
regel-ettervern-tilbud = Tilby ettervern før 18 år
regel-flyttet-kommune = Følg opp overføringen til ny kommune
regel-henvisning = Følg opp henvisningen
regel-hjelp-virker-ikke = Gå gjennom hjelpen med familien
regel-ikke-mott = Ta kontakt etter uteblitte konsultasjoner
regel-individuell-plan = Tilby individuell plan
regel-kasteball = Avklar hvem som tar ansvar
regel-koordinator = Vurder koordinator
regel-overgang = Få bekreftet overgangen
regel-plassering-helse = Sørg for at helsetjenesten overtar etter flyttingen
regel-plassering-skole = Sørg for at skolen overtar etter flyttingen
regel-ppt-henvisning = Etterspør sakkyndig vurdering
regel-skolemiljo-evaluering = Evaluer planen for skolemiljøet
regel-skolemiljo-plan = Lag plan for skolemiljøet
regel-tilbakemelding-konklusjon = Gi melderen tilbakemelding om konklusjonen
regel-tilbakemelding-mottak = Gi melderen tilbakemelding
regel-tiltak-evaluering = Evaluer tiltaket
regel-tiltak-slutt = Avslutt eller forleng tiltaket
regel-undersokelse = Konkluder undersøkelsen
regel-undersokelse-start = Start undersøkelsen
regel-undring = Avtal neste steg
regel-ute-av-skole = Følg opp den som har sluttet på skolen
regel-skjult = Oppgave

## Hvorfor porten avgjorde som den gjorde

grunn-lov = Loven gir grunnlag
grunn-administrativ = Administrativ opplysning
grunn-samtykke = Familien har samtykket
grunn-skjermet = Kontakt med tjenesten er i seg selv skjermet
grunn-egen-plikt = Tjenestens egen plikt: deles ikke uten samtykke
grunn-mangler-samtykke = Taushetsplikt, og samtykke mangler
grunn-sperret = Barnets opplysninger er sperret
grunn-slettet = Barnets opplysninger er slettet
grunn-ukjent-type = Tjenesten kan ikke sende denne typen hendelse
grunn-ukjent-identitet = Identiteten er ikke gyldig
grunn-ukjent-barn = Barnet er ikke kjent
grunn-annen-kommune = Barnet hører til en annen kommune
grunn-for-gammel = Personen er over 25 år
grunn-behandlingsgrunnlag = Behandlingsgrunnlag
grunn-uten-grunnlag = Intet behandlingsgrunnlag i kraft
grunn-barnet-selv = Barnets egne opplysninger
grunn-foresatt = Foresatt til barnet
grunn-innsyn = Innsyn i hvem som har lest
grunn-ikke-eget-barn = Ikke barnets egen bruker eller foresatt
grunn-for-ung = Barnet er for ungt til å se dette selv
grunn-alder = Barnet er for gammelt til at foresatte ser alt
grunn-alder-begrenset = Barnet er for gammelt til at foresatte ser dette
grunn-barnets-eget-samtykke = Barnet har samtykker som er dets egne
grunn-under-undersokelse = Unntatt mens barnevernet undersøker
grunn-leser-skjermet = Hvem som har lest, er skjermet
grunn-hviler-pa-skjult = Hviler på opplysninger som ikke kan deles
