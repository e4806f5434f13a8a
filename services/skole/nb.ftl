ukjent-ressurs = Ressursen er ikke en av dem vi leser.
    .gjor = Du trenger ikke gjøre noe. Hendelser kommer av Person, Elev, Elevforhold og Fravær; sjekk lenken «self» hvis den er en av dem.
for-lang-periode = Fraværet varer lenger enn { $dager } dager.
    .gjor = Del det opp, eller rett perioden i fagsystemet.
