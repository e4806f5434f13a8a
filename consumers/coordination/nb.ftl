# Forklaringer på oppgaver. Lagres forseglet: teksten kan røpe hvem som er inne i saken.
oppgave-samarbeid = { $antall } tjenester følger opp barnet: { $tjenester }. Ingen koordinator er oppnevnt. Vurder samarbeid og hvem som skal samordne. Regnet fra { $dato }, da tjeneste nummer to kom inn.
oppgave-bekymringsmelding = Bekymringsmeldingen kom inn { $dato }. Den skal gjennomgås innen sju dager.
oppgave-frafall = Fraværet har passert grensen i skoleåret { $skolear }, og en annen tjeneste følger også opp. Vurder sammen hva som kan hindre frafall. Regnet fra { $dato }.
oppgave-barnekoordinator = { $tjeneste } meldte { $dato } et behov som er langvarig, sammensatt og alvorlig, og familien ønsker barnekoordinator. Vurder barnekoordinator.
oppgave-barnekoordinator-oppnevning = Barnekoordinator ble vurdert { $dato }, men er verken oppnevnt eller avslått. Avgjør saken.
oppgave-barnets-syn = { $tjeneste } åpnet en sak { $dato }, men har ikke registrert at barnet har fått si sin mening. Snakk med barnet.
oppgave-eget-samtykke = Barnet fyller 18 år { $dato }. Da faller foreldrenes samtykke bort. Spør den unge selv om samtykke i god tid.
oppgave-ettervern-oppfolging = Siste registrerte kontakt i ettervernet var { $dato }. Ta kontakt med den unge.
oppgave-ettervern-svar = Ettervern ble tilbudt { $dato }, men svaret er ikke registrert. Gjør tilbudet kjent for den unge og registrer svaret.
oppgave-ettervern-tilbud = Den unge har tiltak og fyller 18 år { $dato }. Tilby ettervern før fødselsdagen.
oppgave-flyttet-kommune = Saken ble avsluttet { $dato } fordi barnet flyttet til en annen kommune. Ingen der har bekreftet at de har tatt imot. Følg opp overføringen.
oppgave-henvisning = { $tjeneste } sendte en henvisning { $dato } som ikke er besvart. Avklar hvem som tar imot.
oppgave-hjelp-virker-ikke = Familien sa { $dato } at hjelpen ikke virket. Gå gjennom hjelpen sammen med dem.
oppgave-ikke-mott = Barnet har ikke møtt { $antall } ganger på rad, sist regnet { $dato }, og ingenting er gjennomført siden. Ta kontakt med familien.
oppgave-individuell-plan = { $tjeneste } meldte { $dato } et langvarig og sammensatt behov. Tilby individuell plan.
oppgave-kasteball = Barnet er avvist eller sendt videre { $antall } ganger, sist { $dato }. Avklar hvem som tar ansvar.
oppgave-koordinator = { $tjeneste } meldte { $dato } et langvarig og sammensatt behov som ikke gir rett til barnekoordinator. Vurder koordinator.
oppgave-overgang = { $tjeneste } planla { $dato } overgangen { $slag ->
    [barnehage-skole] fra barnehage til skole
    [skole-vgs] fra grunnskole til videregående
    [skole-nav] fra skole til NAV
    [sykehus-kommune] fra sykehus til kommune
    [kommune-kommune] til en annen kommune
    [omsorg-ettervern] fra omsorg til ettervern
   *[annen] til en annen tjeneste
}. Ingen har bekreftet at barnet er tatt imot.
oppgave-plassering-helse = Barnet flyttet til et nytt sted { $dato }. Helsetjenesten der har ikke bekreftet at den har overtatt.
oppgave-plassering-skole = Barnet flyttet til et nytt sted { $dato }. Skolen der har ikke bekreftet at den har overtatt.
oppgave-ppt-henvisning = Barnet ble henvist til PPT { $dato }. Sakkyndig vurdering er ikke mottatt. Etterspør den.
oppgave-skolemiljo-evaluering = Planen for skolemiljøet ble laget { $dato } og er ikke evaluert. Evaluer den sammen med barnet.
oppgave-skolemiljo-plan = Det ble meldt fra om skolemiljøet { $dato }. Lag en skriftlig plan.
oppgave-tilbakemelding-konklusjon = Undersøkelsen ble konkludert { $dato }. Den offentlige melderen skal ha tilbakemelding innen tre uker.
oppgave-tilbakemelding-mottak = Bekymringsmeldingen kom inn { $dato }. Melderen skal ha tilbakemelding innen tre uker.
oppgave-tiltak-evaluering = Tiltaket ble iverksatt { $dato } og er ikke evaluert.
oppgave-tiltak-slutt = Tiltaket fra { $dato } skulle ha vært avsluttet, men det er ikke registrert. Avslutt det eller forleng det.
oppgave-undersokelse = Undersøkelsen skal konkluderes innen tre måneder, regnet fra { $dato }.
oppgave-undersokelse-utvidet = Fristen for undersøkelsen er utvidet. Den skal konkluderes innen seks måneder, regnet fra { $dato }.
oppgave-undersokelse-start = Bekymringsmeldingen kom inn { $dato } og skal undersøkes. Undersøkelsen er ikke registrert som startet.
oppgave-undring = { $tjeneste } registrerte { $dato } en undring på BTI-nivå { $niva }, og det er ikke registrert noe neste steg siden. Avtal hva som skal skje.
oppgave-ute-av-skole = Elevforholdet ble avsluttet { $dato }, og ingen har registrert ny skole eller oppfølging. Ta kontakt med den unge.

# Oppgaver og stafettpinne: hvorfor noe ikke går, og hva du kan gjøre.
oppgave-avsluttet = Oppgaven er alt avsluttet.
    .gjor = Ingenting mer må gjøres med den. Gjelder det noe nytt, kommer det en ny oppgave.
kommando-passer-ikke = Dette kan ikke gjøres med oppgaven slik den står nå.
    .gjor = Hent oppgaven på nytt; feltet «handlinger» sier hva du kan gjøre.
ikke-din-tur = Det er ikke din tjeneste som kan gjøre dette nå.
    .gjor = Hent oppgaven på nytt; «handlinger» sier hva du kan gjøre, og «eier» hvem som har den.
grunn-mangler = Et nei må ha en grunn.
    .gjor = Oppgi «grunn» som en av: ikke-var-oppgave, annen-naermere, mangler-kapasitet, mangler-samtykke, annet.
kommentar-mangler = Det mangler en kommentar, eller den er for lang.
    .gjor = Skriv en kommentar på høyst 2000 tegn. Den lagres forseglet og vises bare dem som kan se oppgaven.
mottaker-mangler = Det mangler hvem oppgaven skal til.
    .gjor = Oppgi «til» som en av tjenestene under «mottakere».
mottaker-har-oppgaven = Tjenesten har oppgaven fra før.
    .gjor = Oppgi en annen tjeneste, eller ta oppgaven selv.
mottaker-kan-ikke-eie = Tjenesten kan ikke få oppgaven, fordi den ikke kan få vite alt den hviler på.
    .gjor = Velg en av tjenestene under «mottakere», eller innhent samtykke først.
kan-ikke-eie = Tjenesten din kan ikke lenger få vite alt oppgaven hviler på.
    .gjor = Innhent samtykke først. Oppgaven blir hos den som har den.
versjon-endret = Noe har skjedd med oppgaven siden du hentet den.
    .gjor = Hent den på nytt, se hva som har skjedd, og send på nytt med den nye ETag-en.
if-match-mangler = Hodet «If-Match» mangler.
    .gjor = Send ETag-en fra oppgaven slik du hentet den, så ingen endrer noe de ikke har sett.
barn-sperret = Opplysningene om barnet er sperret eller slettet.
    .gjor = Oppgaven kan ikke endres nå. Kontakt den som har satt sperringen.
felt-feil = Feltet følger ikke kontrakten.
    .gjor = Se i API-beskrivelsen (/openapi.json) hva feltet skal inneholde.

# Hvorfor en oppgave er som den er.
forklart-regel = Regelen «{ $regel }», versjon { $versjon }, med { $sett }.
forklart-standard = standardverdiene
forklart-lokale = de lokale reglene «{ $navn }»
forklart-frist = Fristen er { $antall } { $enhet ->
    [dager] { $antall ->
        [one] kalenderdag
       *[other] kalenderdager
    }
    [maneder] { $antall ->
        [one] kalendermåned
       *[other] kalendermåneder
    }
   *[arbeidsdager] { $antall ->
        [one] arbeidsdag
       *[other] arbeidsdager
    }
} etter { $fra }: { $frist }. { $slag ->
    [lov] Den følger av loven.
   *[lokal] Den er lokal; loven setter ingen dato.
}
forklart-frist-oppgitt = Fristen er { $frist }. Datoen står i det som er registrert, eller følger av den. { $slag ->
    [lov] Den følger av loven.
   *[lokal] Den er lokal; loven setter ingen dato.
}
