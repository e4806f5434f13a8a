ukjent-ressurs = Ressursen er ikke en av dem vi leser.
    .gjor = Du trenger ikke gjøre noe. Hendelser kommer av Person, Elev, Elevforhold og Fravær; sjekk lenken «self» hvis den er en av dem.
for-lang-periode = Fraværet varer lenger enn { $dager } dager.
    .gjor = Del det opp, eller rett perioden i fagsystemet.
id-utlopt = Identifikatoren gjelder ikke lenger. Det endrer ingenting.
    .gjor = Er elevforholdet avsluttet, send slutten i «gyldighetsperiode» på elevforholdet. Er ressursen registrert ved en feil, send den med «slettet»: true.
annet-innhold = Hendelsen er tatt imot før, med et annet innhold.
    .gjor = Send filen på nytt. Det som ikke ble tatt imot nå, sendes da som en nyere versjon.
