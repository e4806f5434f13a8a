# Kommandolinjens tekster: det den sier, og hjelpen til hver kommando.

## Det som startes

del-postgres = PostgreSQL
del-kafka = Kafka
del-databaser = databaser
del-emner = emner i Kafka
del-samtykke = samtykke
del-portal = portalen
del-tjenester = tjenestene
del-relay = formidling til Kafka
del-innboks = barnevernets innboks
del-samordning = samordning
del-simulering = den syntetiske kommunen

## samspor up

opp-starter = [bold]Samspor starter.[/bold] Data ligger i { $mappe }.
opp-venter = Venter på { $navn } …
opp-klar-del = [green]✓[/green] { $navn } [dim]{ $sekunder } s[/dim]
opp-falt = [yellow]![/yellow] { $navn } stoppet ({ $grunn }) og startes på nytt.
opp-tilbake = [green]✓[/green] { $navn } er i gang igjen.
opp-hvor = [bold green]Klar etter { $sekunder } s.[/bold green] Åpne [bold]{ $portal }[/bold]
      Logg inn som: { $personer }
      Tilgangsbevis for fagsystemer: { $tokens }   Logger: { $logger }
      Ctrl-C stopper alt; neste start fortsetter der denne slapp.
opp-stopper = Stopper … (Ctrl-C én gang til avbryter med det samme)
opp-stoppet = Alt er stoppet. Ingenting er mistet.
opp-avbrutt = Avbrutt. Det som var kvittert, er trygt; neste start rydder opp.
opp-i-gang = Samspor kjører allerede med dataene i { $mappe }.
    .gjor = Stopp den som kjører, eller velg en annen mappe med --data-dir.
opp-port-opptatt = Port { $port } på { $vert } er i bruk av et annet program.
    .gjor = Velg en annen: samspor up --port { $forslag }  (bruker fire porter fra og med den), eller --port 0 for ledige porter.
opp-motor = Kom ikke i gang: { $grunn }
    .gjor = Rett det som står over, og start igjen. Data som er lagret, er trygge.

## Hjelp

hjelp-samspor = Samspor: hendelser mellom tjenestene rundt et barn, delt så langt samtykke og lov rekker.
hjelp-data-dir = Mappen med data, hemmeligheter og tilgangsbevis.
hjelp-json = Skriv JSON på stdout.
hjelp-token-fil = Fil med tilgangsbevis (fra «samspor token»); uten den brukes dem i datamappen.

hjelp-up = Start alt på denne maskinen: PostgreSQL, Kafka, tjenestene, samtykke, samordning, portalen og en syntetisk kommune.
hjelp-up-uten-simulering = Uten den syntetiske kommunen.
hjelp-up-tempo = Hvor mange dager den syntetiske kommunen lever hvert sekund.
hjelp-up-port = Portalens port; de tre neste brukes av de andre delene. 0 velger ledige porter.
hjelp-up-json = Skriv én linje JSON på stdout når alt er klart: adresser, prosesser og tilgangsbevis.

hjelp-serve = Kjør én del som egen prosess, med innstillinger fra SAMSPOR_-variabler. Delene: { $deler }.
hjelp-migrate = Lag databaser, roller og emner i Kafka som mangler, og bring skjemaene til nyeste utgave.

hjelp-rebuild = Regn ut faktasett og oppgaver på nytt fra tidslinjene, i nye tabeller ved siden av de gamle, og bytt når de er like.
hjelp-rebuild-godta = Bytt også når resultatet er et annet, som etter en endring i regler eller kode. Det som er nytt, varsles én gang.

hjelp-send = Send filer fra et fagsystem til en tjeneste, eller prøv dem uten å sende.
hjelp-send-tjeneste = Tjenesten som sender: skole, helsestasjon, barnevern, nav …
hjelp-send-filer = Filene som skal sendes; - leser fra stdin.
hjelp-send-format = Formatet; uten det gjettes det når tjenesten bare har ett, ellers Samspors egen JSON.
hjelp-send-person = Hvem filen gjelder, når den ikke sier det selv. «-» leser fra stdin, «@fil» fra en fil, så nummeret ikke vises i prosesslisten.
hjelp-send-barn = Barn en forelders sak gjelder; kan gis flere ganger, og leses som --person.
hjelp-send-bytt-identer = Bytt hvert personnummer i filen med et fast syntetisk nummer før sending.
hjelp-send-folg = Følg en mappe: send hver ny fil, og flytt den til kvittert/ eller avvist/ med svaret i <navn>.kvittering.json ved siden av. Filer som begynner med «.» eller slutter på .tmp eller .part, får ligge. Hvem en fil gjelder, kan stå i <navn>.personer.json ({"{"}"person": "…", "barn": ["…"]{"}"}).
hjelp-send-dry-run = Bare les og kontroller; ingenting sendes, og ingenting trenger å kjøre.

hjelp-simulate = La en syntetisk kommune sende gjennom tjenestenes egne formater.
hjelp-simulate-barn = Hvor mange barn.
hjelp-simulate-dager = Hvor mange dager, regnet bakover fra i dag.
hjelp-simulate-seed = Samme tall gir de samme barna og de samme hendelsene.
hjelp-simulate-tempo = Dager per sekund; uten det så fort det går.
hjelp-simulate-journal = Skriv hver sending og svaret på den til denne filen, sikret på disk for hver linje.

hjelp-status = Hva som er mottatt, venter, er avvist, står på tidslinjer, er parkert og er åpne oppgaver.
hjelp-doctor = Finn ut hva som er galt, og hva som kan gjøres. Endrer ingenting; slutter med 1 når noe er galt.
hjelp-doctor-ubesluttet = Hvor mange sekunder en hendelse kan vente på formidling før det er galt.
hjelp-doctor-iaktta = Hvor mange sekunder leserne iakttas for å se om de går fremover.
hjelp-dlq = Hendelser som er satt til side.
hjelp-dlq-list = List det som er parkert eller avvist, i journaler, hos samordningen og hos portalen, og hvorfor.
hjelp-dlq-show = Vis én: hvorfor den står der, og hva som kan gjøres.
hjelp-dlq-replay = Behandle på nytt. Det som alt er gjort, gjøres ikke om igjen.
hjelp-dlq-drop = Gi opp en som er parkert, eller glem en som er avvist så avsenderen kan sende den på nytt.
hjelp-dlq-id = Slik den står i «samspor dlq list».
hjelp-dlq-antall = Høyst så mange fra hvert sted.
hjelp-dlq-alle = Alle som kan behandles på nytt.
hjelp-dlq-ja = Ikke spør først.

hjelp-samtykke = Samtykker og koordinatorer.
hjelp-samtykke-gi = Registrer et samtykke.
hjelp-samtykke-tiltre = Registrer den andre forelderens samtykke, der det kreves begge.
hjelp-samtykke-avsla = Registrer at familien sa nei.
hjelp-samtykke-historikk = Vis alt som er skjedd med ett samtykke.
hjelp-samtykke-fratildel = Ta barnet fra en koordinator; det gjelder fra neste kall.
hjelp-samtykke-familie = Registrer at en bruker er barnet selv, forelder eller verge.
hjelp-samtykke-koble = Koble en sak uten nummer til barnet den viste seg å gjelde. Begge beholder id-en sin.
hjelp-samtykke-frakoble = Koble fra igjen; hver får sitt tilbake.
hjelp-samtykke-giver = Hvem av foreldrene: brukeren hennes, eller avsenderens faste ord for henne.
hjelp-samtykke-alene = Forelderen har foreldreansvaret alene, så det ventes ikke på en til.
hjelp-samtykke-bruker = Brukeren (sub i tilgangsbeviset).
hjelp-samtykke-familierolle = barn, forelder eller verge.
hjelp-samtykke-fjern = Ta bort i stedet.
hjelp-samtykke-sak = Saken slik avsenderen sendte den.
hjelp-samtykke-orgnr = Organisasjonen som sendte saken.
hjelp-samtykke-subject = Barnets løpende id, i stedet for sak.
hjelp-samtykke-til-subject = Løpende id-en det kobles til, i stedet for --person.
samtykke-ingen = Ingen samtykker.
hjelp-samtykke-trekk = Trekk et samtykke; det gjelder fra neste kall.
hjelp-samtykke-gi-igjen = Gi et trukket samtykke på nytt.
hjelp-samtykke-vis = Vis et barns samtykker.
hjelp-samtykke-tildel = Tildel barnet en koordinator.
hjelp-person = Personens nummer; «-» leser fra stdin, «@fil» fra en fil.
hjelp-kommune = Kommunenummer.
hjelp-samtykke-hvem = Hvem som samtykker: selv, forelder, begge-foreldre eller verge.
hjelp-samtykke-fra = Tjenesten opplysningene kommer fra.
hjelp-samtykke-til = Tjeneste som får se dem, eller koordinator; kan gis flere ganger.
hjelp-samtykke-kategori = Kategori samtykket gjelder; kan gis flere ganger.
hjelp-samtykke-formal = Hva opplysningene skal brukes til.
hjelp-samtykke-utloper = Siste dag samtykket gjelder (ÅÅÅÅ-MM-DD).
hjelp-samtykke-id = Samtykkets id.
hjelp-samtykke-koordinator = Koordinatorens bruker (sub i tilgangsbeviset).
hjelp-samtykke-rolle = koordinator eller barnekoordinator.

hjelp-vern-barn = Barnets løpende id, eller nummeret: «-» leser en linje fra stdin, «@FIL» fra en fil.
hjelp-vern-token = Fil med ditt eget tilgangsbevis (rollen leder eller koordinerende-enhet).
hjelp-sperr = Sperr et barn: ingenting om det sendes eller vises før sperringen oppheves. Ingenting går tapt.
hjelp-sperr-grunn = Hvorfor, som en kode (for eksempel begrensning-art-18).
hjelp-sperr-opphev = Opphev sperringen.
hjelp-slett = Slett et barn for godt. Krever en beslutning og to personer: én foreslår, en annen godkjenner.
hjelp-slett-foresla = Foreslå å slette et barn.
hjelp-slett-godkjenn = Godkjenn et forslag som en annen har lagt fram. Nøklene destrueres, og det kan ikke gjøres om.
hjelp-slett-forkast = Forkast et forslag som ikke er godkjent.
hjelp-slett-vis = Hvor langt slettingen er kommet, og hvem som gjenstår.
hjelp-slett-id = Slettingens id, fra svaret på forslaget.
hjelp-slett-beslutning = Referanse til beslutningen i kommunens arkiv.
hjelp-slett-ja = Ikke spør.
hjelp-audit = Revisjonsloggen: er den hel, og hele veien til en hendelse, en oppgave eller et barn.
hjelp-audit-verify = Hold hver rad i revisjonsloggene opp mot kjeden, og kjeden opp mot de publiserte hodene. Slutter med 1 når noe er endret, fjernet, flyttet, satt inn eller kuttet av.
hjelp-audit-hoder = Skriv ut de publiserte hodene, ett per linje: til en fil som oppbevares et annet sted.
hjelp-audit-show = Hele veien: mottatt, besluttet og hvorfor, publisert, behandlet, oppgaver, varsler, lest av hvem. Bare metadata, for rollen revisor; oppslaget logges.
hjelp-audit-hodefil = Fil med publiserte hoder, fra «audit hoder»; uten den leses de fra Kafka.
hjelp-audit-uten = Ikke hold kjeden opp mot publiserte hoder. At slutten er kuttet av, blir da ikke oppdaget.
hjelp-audit-database = Bare denne databasen; kan gjentas.
hjelp-audit-navn = Id-en til en hendelse eller en oppgave, eller et barns løpende id.
hjelp-audit-token = Fil med ditt eget tilgangsbevis (rollen revisor).
hjelp-keys = Nøkkelkrypteringsnøkkelen (KEK): bytt den uten stans.
hjelp-keys-new = Lag en ny. I en innebygd kjøring blir den den gjeldende ved neste start; ellers skrives den ut, til ditt eget hemmelighetslager.
hjelp-keys-rotate = Pakk om alle nøkler under den gjeldende. Kan avbrytes og tas opp igjen.
hjelp-token = Lag et tilgangsbevis.
hjelp-token-sub = Brukeren eller systemet beviset gjelder.
hjelp-token-rolle = Rolle: { $roller }.
hjelp-token-orgnr = Virksomhetens organisasjonsnummer.
hjelp-token-tjeneste = Tjenesten den hører til.
hjelp-token-skjermet = Får se at barnevernet er inne (kun status).
hjelp-token-timer = Hvor mange timer det varer.

## Det kommandoene sier

token-fil-mangler = Fant ingen tilgangsbevis i { $fil }.
    .gjor = Start «samspor up» først, eller oppgi en fil med --token-fil.
token-for-mangler = { $fil } har ikke noe tilgangsbevis for { $navn }.
    .gjor = Lag et med «samspor token», eller bruk en fil som har det.
innstilling-mangler = { $melding }
    .gjor = Sett variabelen, eller pek på en datamappe der «samspor up» har kjørt (--data-dir).
innstilling-ugyldig = En innstilling kan ikke leses. { $melding }
    .gjor = Rett variabelen i miljøet. backbone/settings.py har dem alle, med hva de tar.
hemmeligheter-skadet = Hemmelighetene i { $fil } kan ikke leses.
    .gjor = Legg filen tilbake fra en sikkerhetskopi: uten den er dataene i mappen lukket. Vil du begynne på nytt, flytter du hele mappen bort.
ingen-forbindelse = Fikk ikke svar fra { $adresse }.
    .gjor = Se at Samspor kjører («samspor up»), og at adressen er riktig.
fil-ulest = Kunne ikke lese { $fil }: { $grunn }
    .gjor = Se at filen finnes og at du har lov til å lese den.
person-ulest = Kunne ikke lese nummeret fra { $fil }.
    .gjor = Legg nummeret på første linje i filen.
ukjent-tjeneste = Det finnes ingen tjeneste som heter «{ $navn }».
    .gjor = Velg en av disse: { $kjente }.
ukjent-format = { $tjeneste } har ikke noe format som heter «{ $navn }».
    .gjor = Velg et av disse: { $kjente }. Uten --format brukes Samspors egen JSON eller tjenestens eneste format.
ukjent-del = Det finnes ingen del som heter «{ $navn }».
    .gjor = Velg en av disse: { $kjente }.
avslag = Samspor sa nei: { $melding }
    .gjor = { $raad }
send-fil = { $fil }: { $mottatt } tatt imot, { $kjent } kjent fra før, { $feil } feil
send-feil =   [red]✗[/red] { $peker }: { $feil } { $gjor }
send-advarsel =   [yellow]![/yellow] { $peker }: { $feil }
send-hendelse =   [green]✓[/green] { $type }
send-hva = Det er ikke sagt hva som skal sendes.
    .gjor = Oppgi filer, eller en mappe med --følg MAPPE.
fil-for-stor = Filen er større enn { $maks } byte, og er ikke lest.
    .gjor = Del den i flere filer.
personer-ugyldig = Filen med endelsen { $ending } kan ikke leses, så filen den hører til er ikke sendt.
    .gjor = Den skal være et JSON-objekt med «person» (tekst) og «barn» (liste av tekster), og ikke noe annet. Rett den og legg begge filene i mappen på nytt.
folg-begynner = Følger { $mappe } for { $tjeneste }. Ctrl-C stopper.
folg-stoppet = Stoppet. Filer som ikke er kvittert, ligger igjen i mappen.
folg-alene = --følg kan ikke brukes sammen med filer, --person, --barn eller --dry-run.
    .gjor = Legg filene i mappen. Hvem en fil gjelder, står i <navn>.personer.json ved siden av den.
folg-opptatt = { $mappe } følges allerede av en annen prosess.
    .gjor = Stopp den, eller følg en annen mappe.
folg-mappe = Kan ikke følge { $mappe }: { $grunn }
    .gjor = Se at mappen finnes, og at du har lov til å lese og skrive i den.
folg-borte = [yellow]![/yellow] Fikk ikke svar fra { $adresse }. Filene blir liggende og sendes når den svarer.
folg-tilgang = [yellow]![/yellow] Tilgangsbeviset godtas ikke av { $adresse }. Filene blir liggende; lag et nytt med «samspor token» og start på nytt.
folg-feil = [yellow]![/yellow] { $adresse } svarte ikke på det som ble sendt. Filen blir liggende og prøves igjen; de andre sendes.
folg-ulest = [yellow]![/yellow] En fil kan ikke leses. Den blir liggende og prøves igjen.
folg-navn = [yellow]![/yellow] En fil sendes ikke: navnet er så langt at det ikke er plass til en kvittering med samme navn. Den blir liggende; gi den et kortere navn.
rebuild-framdrift = { $barn } barn, { $hendelser } hendelser
rebuild-ferdig = Bygd på nytt: { $barn } barn, { $hendelser } hendelser på { $sekunder } s ({ $fart } hendelser i sekundet). { $omigjen } barn ble tatt om igjen fordi noe skjedde underveis.
rebuild-lik = Oppgavene er de samme (avtrykk { $avtrykk }). Ingen nye varsler.
rebuild-avvik = { $regel }: { $nye } nye, { $bortfalt } bortfalt, { $endret } endret
rebuild-faktasett = { $antall } barn leses annerledes enn før.
rebuild-byttet = Tabellene er byttet. { $fortalt } endringer ble varslet.
rebuild-ikke-byttet = Resultatet er et annet enn det som står, og ingenting er endret.
    .gjor = Se over tallene. Er endringen ment, kjør på nytt med --godta.
rebuild-opptatt = En annen gjenoppbygging er i gang.
    .gjor = Vent til den er ferdig.
rebuild-utilgjengelig = Gjenoppbyggingen stanset: { $feil }. Ingenting er endret.
    .gjor = Se at databasen og samtykke er oppe («samspor status»), og kjør på nytt.
migrate-ferdig = { $antall ->
    [0] Alle databasene er à jour.
   *[other] Brakt à jour: { $navn }.
 }
migrate-stanset = Databasene er ikke brakt à jour: { $feil }.
    .gjor = Se at PostgreSQL er oppe, at SAMSPOR_DATABASE_URL er riktig, og at brukeren der kan lage databaser og roller (eller at de finnes), og kjør på nytt. De databasene som er ferdige, er det.
migrate-emner = Emnene i Kafka finnes.
migrate-emner-stanset = Emnene i Kafka er ikke laget: { $feil }.
    .gjor = Se at Kafka er oppe, at SAMSPOR_KAFKA er riktig, at vi har lov til å lage emner, og at SAMSPOR_REPLICATION_FACTOR ikke er større enn antall meglere, og kjør på nytt.
migrate-uten-kafka = SAMSPOR_KAFKA er ikke satt, så emnene er ikke laget.
simulate-dag = { $dag }: { $mottatt } tatt imot, { $kjent } kjent, { $feil } feil
status-tittel = Samspor nå
status-tjeneste = Tjeneste
status-mottatt = Mottatt
status-ubesluttet = Ubesluttet
status-frigitt = Frigitt
status-skjermet = Skjermet
status-venter = Venter på samtykke
status-avvist = Avvist
status-parkert = Parkert
status-publisert = Publisert
status-samordning = Tidslinjer: { $hendelser } hendelser, etterslep { $etterslep }, parkert { $parkert }. Åpne oppgaver: { $oppgaver }.
status-utilgjengelig = Kan ikke si hvordan det står: { $feil }.
    .gjor = Kjør «samspor doctor», som sier hva som er galt og hva du gjør.
status-sist-lest = Samordningen leste sist noe { $tid }.
lege-frisk = [green]✓[/green] Alt er i orden.
lege-hemmelighet = { $variabel } er ikke satt.
    .gjor = Sett den til 32 tilfeldige byte i base64, den samme i alle deler, eller pek på en datamappe der «samspor up» har kjørt (--data-dir).
lege-postgres-borte = PostgreSQL svarer ikke ({ $feil }).
    .gjor = Start den, eller rett SAMSPOR_DATABASE_URL. Det som er kvittert, er trygt; det som sendes nå, må avsenderne sende igjen.
lege-database-gammel = Mangler eller er ikke på nyeste utgave: { $navn }.
    .gjor = Kjør «samspor migrate».
lege-database-nyere = Laget av en nyere utgave av Samspor enn denne: { $navn }.
    .gjor = Installer den nyere utgaven. Denne kan ikke lese dataene, og endrer dem ikke.
lege-kafka-borte = Kafka svarer ikke ({ $feil }).
    .gjor = Start den, eller rett SAMSPOR_KAFKA. Mottaket går som før; hendelsene venter i journalene og sendes når den er tilbake.
lege-emne-mangler = Emner mangler i Kafka: { $navn }.
    .gjor = Kjør «samspor migrate»: den lager dem slik hvert av dem skal være.
lege-emne-partisjoner = { $navn } har { $har } partisjoner og skal ha { $skal }.
    .gjor = Ulikt antall skiller ett barns hendelser mellom prosesser. Lag emnet på nytt med { $skal }; legg ikke bare til partisjoner, for da flytter nøklene seg.
lege-emne-lagring = { $navn } sletter for tidlig: retention.ms er { $har } og skal være { $skal } (-1 er for alltid).
    .gjor = Sett retention.ms til { $skal } på emnet straks. Det som alt er slettet der, kommer ikke tilbake.
lege-del-borte = { $del } svarer ikke på { $adresse } ({ $feil }).
    .gjor = Se loggen til delen. Under «samspor up» startes den på nytt av seg selv; ellers: «samspor serve { $del }».
lege-del-syk = { $del } svarer med feil ({ $status }).
    .gjor = Se loggen til delen, og start den på nytt.
lege-formidler-mangler = Ingen formidler journalen til { $journal }: låsen er ikke tatt.
    .gjor = Se at delen «{ $journal ->
        [samtykke] samtykke
       *[other] relay
    }» kjører. Står en annen forbindelse med låsen, frigis den når den forbindelsen brytes.
lege-journal-henger = { $antall } hendelser i journalen til { $journal } venter på formidling; den eldste har ventet { $sekunder } s.
    .gjor = Formidleren venter på samtykke eller Kafka: se etter «waits» i loggen til relay, og rett det som er borte.
lege-parkert = { $antall } er satt til side hos { $hvor }.
    .gjor = Se hvorfor med «samspor dlq list», og behandle på nytt eller gi opp.
lege-meldevei-star = Veien til barnevernets innboks står stille.
    .gjor = Den trenger bare PostgreSQL og Kafka: se etter «waits» i loggene til relay og innboks og «too large» i loggen til relay, og rett årsaken straks. Finner du ingen, start relay og innboks på nytt.
lege-innboks-nokkel = Innboksen har fått noe den ikke har nøkkelen til.
    .gjor = Sett den private nøkkelen i SAMSPOR_INNBOKS_PRIVATE_KEYS hos delen innboks, og start den på nytt.
lege-innboks-parkert = Innboksen har satt til side noe på emnet sitt som ikke er en melding i denne utgaven.
    .gjor = Se grunnen i tabellen «parkert» i innboksens database. Ved FutureVersion: oppgrader innboksen straks og les emnet på nytt, slik docs/drift.md sier. Ellers: finn ut hvem som skriver til emnet utenom tjenestene, og slett raden.
lege-leser-star = { $leser } står stille: { $antall } hendelser på { $partisjoner } partisjoner er ikke lest.
    .gjor = Se etter «waits» i loggen til delen. Den gjenskaper seg selv etter et halvt minutt; blir det ved, start delen på nytt.
lege-klokke = Klokken hos { $hvem } går { $sekunder } s feil mot denne maskinens.
    .gjor = Slå på tidssynkronisering (NTP) på begge. Frister og samtykkers varighet regnes etter klokken.
audit-hel = { $kjede }: { $rader } rader er som de ble forseglet, holdt opp mot { $hoder } hoder. { $uforseglet } er ikke forseglet ennå.
audit-siste-hode = { $kjede }: det siste publiserte hodet er nummer { $nummer }, forseglet { $tid }. Rader etter det står bare tabellen inne for.
audit-ingen-hode = { $kjede }: ingen hoder er publisert. At slutten er kuttet av, eller alt beregnet på nytt, kan ikke oppdages.
audit-uten-hoder = Ikke holdt opp mot publiserte hoder: at slutten er kuttet av, eller alt beregnet på nytt, er ikke undersøkt.
audit-feil-endret = { $kjede }: rad { $rad } (nummer { $nummer }) er endret.
    .gjor = Sammenlign med en sikkerhetskopi fra før endringen.
audit-feil-fjernet = { $kjede }: raden med nummer { $nummer } er fjernet.
    .gjor = Finn den i en sikkerhetskopi.
audit-feil-flyttet = { $kjede }: rad { $rad } står på nummer { $nummer }, der den ikke hører hjemme.
    .gjor = Sammenlign rekkefølgen med en sikkerhetskopi.
audit-feil-satt-inn = { $kjede }: rad { $rad } er satt inn på nummer { $nummer }.
    .gjor = Finn ut hvem som eier tabellen og har skrevet i den.
audit-feil-avkuttet = { $kjede }: alt fra og med nummer { $nummer } er kuttet av.
    .gjor = Er databasen gjenopprettet fra en eldre kopi? Da er radene etter den tapt; ellers har noen slettet dem.
audit-feil-omskrevet = { $kjede }: kjeden er, eller har vært, en annen enn det første hodet som ble publisert. Den første endringen er i nummer { $nummer } til { $til }.
    .gjor = Sammenlign disse radene med en sikkerhetskopi. Ble databasen gjenopprettet fra en eldre kopi, er dette radene som gikk tapt.
audit-database = «{ $navn }» har ingen revisjonslogg.
    .gjor = Velg blant { $kjente }.
audit-hodefil = Filen { $fil } kan ikke leses som hoder.
    .gjor = Lag den med «samspor audit hoder > FIL».
audit-token = Tilgangsbeviset er ikke gyldig.
    .gjor = Lag et nytt med «samspor token --rolle revisor».
audit-nektet = Du har ikke tilgang ({ $grunn }). Forsøket er logget der det gjelder et barn.
    .gjor = Bruk et tilgangsbevis for revisor i kommunen det gjelder.
audit-ukjent = Ingen hendelse, oppgave eller barn heter dette her.
    .gjor = Kontroller id-en.
audit-steg-mottatt = mottatt
audit-steg-besluttet = besluttet
audit-steg-publisert = publisert
audit-steg-parkert = satt til side
audit-steg-behandlet = behandlet
audit-steg-oppgave = oppgave
audit-steg-fortalt = fortalt om oppgaven
audit-steg-varslet = varslet
audit-steg-lesing = lest
audit-steg-tilgang-nektet = tilgang nektet
audit-steg-utlevering = nøkler utlevert
audit-steg-avgjorelse = holdt tilbake
audit-steg-forvaltning = forvaltning
slett-sikker = Alt om barnet blir ulesbart for godt, også i sikkerhetskopier. Slette?
keys-ny = { $id } er laget og er den gjeldende fra neste start. Start på nytt, og kjør «samspor keys rotate».
keys-rotert = { $antall ->
        [0] Alle nøkler er alt pakket under { $id }.
        [one] Én nøkkel er pakket om under { $id }.
       *[other] { $antall } nøkler er pakket om under { $id }.
    }
keys-ukjent = En nøkkel kan ikke pakkes opp: { $melding }.
    .gjor = Legg nøkkelen den er pakket under, i SAMSPOR_KEK_EARLIER, og kjør på nytt. Det som er pakket om, er det.
dlq-tom = Ingenting er satt til side i journalene, hos samordningen eller hos portalen.
dlq-tittel = Satt til side
dlq-hvilke = Oppgi hvilke som skal behandles på nytt.
    .gjor = Gi én eller flere id-er fra «samspor dlq list», eller --alle.
dlq-ukjent = Ingenting er satt til side under «{ $id }».
    .gjor = Se «samspor dlq list»; den kan alt være behandlet.
dlq-ikke-tatt-vare-pa = { $id } kan ikke behandles på nytt: innholdet er ikke tatt vare på.
    .gjor = Glem den med «samspor dlq drop», og be avsenderen sende på nytt når grunnen er rettet.
dlq-forsokt = { $antall ->
    [one] Én forsøkt på nytt.
   *[other] { $antall } forsøkt på nytt.
 } { $igjen ->
    [0] Ingen av mottakernes ble satt til side igjen.
   *[other] { $igjen } ble satt til side igjen:
 }
dlq-gi-opp = { $forklaring } Gi opp { $id }? Avsenderen får status «avvist», og innholdet slettes.
dlq-glem = { $forklaring } Glem { $id }? Da kan avsenderen sende hendelsen på nytt.
dlq-gitt-opp = { $id } er gitt opp.
dlq-glemt = { $id } er glemt.
dlq-grunn-avvist = Avvist ved beslutningen ({ $grunn }): det finnes ikke grunnlag for å sende den.
    .gjor = Er det galt, la avsenderen rette opplysningene og sende en ny versjon, eller glem denne med «samspor dlq drop» og send på nytt.
dlq-grunn-for-stor = Hendelsen er større enn Kafka tar imot.
    .gjor = Be avsenderen dele den; gi denne opp med «samspor dlq drop».
dlq-grunn-avvist-av-samtykke = samtykke forsto ikke spørsmålet om den.
    .gjor = Se at alle deler kjører samme utgave, og behandle den på nytt. Blir det ved, meld feilen.
dlq-grunn-feilet-i-samtykke = samtykke feiler på den, men svarer for andre.
    .gjor = Se samtykkes logg. Når feilen er rettet, behandle den på nytt.
dlq-grunn-framtidig-versjon = Den er av en nyere versjon enn denne utgaven forstår.
    .gjor = Oppgrader samordningen, og behandle den på nytt.
dlq-grunn-ugyldig-konvolutt = Hodene er ikke en av våre hendelser.
    .gjor = Finn ut hvem som skriver til emnet uten å gå gjennom tjenestene. Den kan gis opp.
dlq-grunn-ukjent-type = Hendelsestypen er ukjent for denne utgaven.
    .gjor = Oppgrader samordningen, eller registrer typen, og behandle den på nytt.
dlq-grunn-feil-topic = Hendelsen ligger på en annen tjenestes emne.
    .gjor = Finn ut hvem som skriver til emnet. Den kan gis opp.
dlq-grunn-ukjent-nokkel = samtykke har ikke nøkkelen den er forseglet med.
    .gjor = Er databasen «nokler» gjenopprettet fra en eldre kopi? Behandle på nytt når nøkkelen er tilbake. Er barnet slettet, kan den gis opp.
dlq-grunn-forsegling-brutt = Forseglingen er brutt: innhold eller hoder er endret etter avsending.
    .gjor = Undersøk hvem som kan skrive til emnet, før den gis opp.
dlq-grunn-ugyldig-innhold = Innholdet følger ikke sin egen type.
    .gjor = Finn utgaven som sendte den. Behandle på nytt når samordningen er rettet, eller gi den opp.
dlq-grunn-MalformedEnvelope = Varselet er ikke en av våre hendelser.
    .gjor = Finn ut hvem som skriver til emnet. Den kan gis opp.
dlq-grunn-FutureVersion = Varselet er av en nyere versjon enn portalen forstår.
    .gjor = Oppgrader portalen. Oppgaven står i samordningen uansett.
dlq-grunn-feil = Behandlingen feilet ({ $grunn }).
    .gjor = Se loggen til delen på samme tidspunkt, rett feilen, og behandle den på nytt.
token-rolle = «{ $rolle }» er ikke en rolle.
    .gjor = Velg en av disse: { $kjente }.

## docs/formater, laget av tests/format_docs.py

format-formater = Det fagsystemene sender i dag, tas imot som det er. Hver side sier hvilke felt vi leser, hva de blir til, og hva hver feil betyr. Prøv en fil uten å sende den: `samspor send TJENESTE FIL --format F --dry-run`. Systemer som ikke kan HTTP, legger filer i en mappe: se [filslipp](filslipp.md).
format-laget = Laget av koden med `python -m tests.format_docs`; ikke rett her.
format-leses-hendelser = Et felt som ikke står her, eller som typen ikke har i `data`, er en feil. Tidspunkter og datoer skrives slik RFC 3339 sier: `2026-02-20T10:00:00+01:00` og `2026-02-20`.
format-leses = Alt annet i innholdet overses, og går aldri videre. Navn, adresser og fritekst blir kontrollert der formatet krever dem, og så glemt.
format-leses-ssb = Hele filen holdes opp mot SSBs XSD. Her står det som gjelder saken; bare det som er nødvendig for hendelsene, går videre.
format-ssb-uten-hendelser = kontrolleres, og gir ingen egne hendelser
format-feil = En feil avviser den posten den står i (i formater der hele filen er én melding, hele filen). En merknad avviser ingenting. `peker` i svaret sier hvor: en JSON-peker (RFC 6901) eller en XPath.
format-hendelser = Samspors egen JSON: ett objekt, en liste av dem, eller ett objekt per linje (NDJSON). For tjenester uten et eget format, og for det formatet ikke dekker. Typene og deres `data` står i [hendelser](../hendelser.md). En linje som er feil, stopper ikke de andre.
format-fiks-bekymringsmelding = KS Fiks bekymringsmelding, offentlig og privat, v1 og v2. Én melding kan gjelde flere barn: det blir én hendelse for hvert. Et barn uten nummer (ufødt, eller i en privat melding) får sin egen sak til det er kjent. En melding har ingen id, så nøkkelen er barnet og datoen.
format-ssb-barnevern = SSB Barnevern v4 (XML), både endringsfiler og totalfiler. En fil som ikke følger XSD-en, avvises hel. SSBs øvrige kontroller er merknader med SSBs alvorlighet. Det samme sendt på nytt gir ingen nye hendelser; det som er endret, gir en ny versjon; det som er slettet, trekkes tilbake. At noe mangler i en totalfil, trekker ingenting tilbake.
format-fhir = HL7 FHIR R4 med de norske no-basis-profilene, i JSON eller XML: én ressurs eller en Bundle. Pasienten finnes i Bundle, i `contained`, som `identifier` i referansen, eller oppgis i delen `person` ved siden av filen. Andre ressurser tas imot uten å gi hendelser, med en merknad.
format-digisos-soker = NAVs digisos-soker: historien til én søknad. Filen sier ikke hvem den gjelder: det står i delene `person` og `barn` ved siden av (multipart), eller i `<navn>.personer.json` i en mappe som følges. Med `barn` gjelder hendelsene hvert barn som `foresatt`, ellers personen selv. Beløp og kontonummer blir kontrollert og glemt. Ukjente felt og nye koder tas imot.
format-fint-utdanning = FINT Utdanning: Person, Elev, Elevforhold og Fravær, i hvilken rekkefølge som helst og over flere sendinger. Ett objekt, en liste, NDJSON, FINTs egen samling (`_embedded`), eller et objekt med en liste for hvert slag. Fravær blir først en hendelse når en terskel er passert, én gang per terskel og skoleår; rettes eller slettes fraværet, regnes det på nytt. Slettet er `"slettet": true`, eller en `systemId` hvis gyldighetsperiode er slutt.

## samspor rules

hjelp-rules = Reglene som gir plikter: de lokale reglene i en kommune, og hvorfor et barn har de pliktene det har.
hjelp-rules-check = Kontroller filen med de lokale reglene, og si hvor feilene er.
hjelp-rules-schema = Skriv JSON Schema for filen, til redigeringsprogrammer.
hjelp-rules-explain = Forklar pliktene til et barn, eller én oppgave: fakta, regel og versjon, frist og hva som lukker den.
hjelp-rules-id = Barnets eller oppgavens id i Samspor.
hjelp-rules-som = Hvem som spør: navnet på et token. Du ser det den kan se.
rules-lukkes = Lukkes av: { $hva }
rules-ukjent = Fant ingen oppgave med id { $id }, eller om barnet { $id }, som du kan se.
    .gjor = Sjekk id-en, og hvem du spør som (--som).
hjelp-rules-try = Vis hva en fil ville endret på det som er registrert: antall plikter per regel. Ingenting blir endret.
rules-provd = Prøvd på { $barn } barn, slik det ville vært { $dato }.
rules-uendret = Ingen plikt ville blitt åpnet, lukket eller flyttet.
rules-kolonne-regel = Regel
rules-kolonne-apnes = Åpnes
rules-kolonne-lukkes = Lukkes
rules-kolonne-flyttes = Får ny frist eller eier
hjelp-rules-fil = Filen med de lokale reglene (TOML).
rules-gyldig = [green]✓[/green] { $fil } er gyldig: kommune { $kommune }, { $versjoner ->
    [one] én versjon
   *[other] { $versjoner } versjoner
}.
rules-versjon = { $navn }: gjelder fra { $gyldig_fra }, { $regler } regler er på.
rules-avtale = Samarbeidsavtalen «{ $navn }» går snart ut eller er gått ut. Forny den.
rules-ulest = Kan ikke lese { $fil }.
    .gjor = Sjekk at filen finnes og er lagret som UTF-8.
regler-feil-toml = Filen er ikke gyldig TOML.
    .gjor = Rett linjen. Tekst står i anførselstegn, datoer som 2026-08-01 uten.
regler-feil-missing = Feltet mangler.
    .gjor = Legg det til.
regler-feil-extra-forbidden = Feltet finnes ikke, eller det kan ikke settes lokalt.
    .gjor = Rett navnet eller fjern det. Lovfrister og eiere av skjermede plikter kan ikke endres.
regler-feil-string-type = Verdien må være tekst.
    .gjor = Skriv den i anførselstegn.
regler-feil-int-type = Verdien må være et helt tall.
    .gjor = Skriv tallet uten anførselstegn og desimaler.
regler-feil-date-type = Verdien må være en dato.
    .gjor = Skriv den som 2026-08-01, uten anførselstegn.
regler-feil-date-from-datetime-inexact = Verdien må være en dato uten klokkeslett.
    .gjor = Skriv den som 2026-08-01.
regler-feil-greater-than-equal = Tallet må være minst { $min }.
    .gjor = Sett et større tall.
regler-feil-less-than-equal = Tallet kan være høyst { $maks }.
    .gjor = Sett et mindre tall.
regler-feil-literal-error = Verdien er ikke blant de mulige: { $mulige }.
    .gjor = Velg en av dem.
regler-feil-string-pattern-mismatch = Verdien har ikke rett form ({ $monster }).
    .gjor = Kommunenummer har fire siffer, organisasjonsnummer ni.
regler-feil-too-short = Her må det stå minst én verdi.
    .gjor = Legg til en, eller fjern feltet.
regler-feil-samme-dag = To versjoner gjelder fra samme dag.
    .gjor = Gi hver versjon sin egen dato.
regler-feil-samme-enhet = To enheter har samme id.
    .gjor = Gi hver enhet sin egen id.
regler-feil-ukjent-enhet = Enheten «{ $verdi }» finnes ikke i filen.
    .gjor = Legg den til, eller rett «over».
regler-feil-enhet-i-ring = Enheten «{ $verdi }» ligger over seg selv.
    .gjor = Rett «over», så enhetene blir et tre.
regler-feil-ukjent-tjeneste = Tjenesten «{ $verdi }» finnes ikke.
    .gjor = Skriv navnet slik det står i tjenesteregisteret, for eksempel skole eller koordinerende-enhet.
regler-feil-slutt-for-start = Samarbeidsavtalen «{ $verdi }» slutter før den begynner.
    .gjor = Rett datoene.
regler-feil-annet = Verdien er ikke gyldig her.
    .gjor = Se skjemaet: samspor rules schema.
