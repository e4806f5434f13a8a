bare-barnevernet = Innboksen er bare for barnevernets eget fagsystem.
    .gjor = Bruk et tilgangsbevis for barnevern i kommunen.
ingen-melding = Innboksen har ingen melding med denne id-en.
    .gjor = Bruk id-en fra innboksen. En melding som er kvittert, slettes når tiden den skal oppbevares, er ute.
