person-mangler = Filen sier ikke hvem den gjelder.
    .gjor = Send søkerens nummer i delen «person» ved siden av filen, og i «barn» hvilke barn en forelders sak gjelder.
gir-ingen-hendelse = Denne typen linje gir ingen hendelse.
    .gjor = Du trenger ikke gjøre noe: utbetalinger, rammevedtak og ukjente typer tas imot uten å sendes videre.
