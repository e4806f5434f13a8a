# Forklaringer på oppgaver. Lagres forseglet: teksten kan røpe hvem som er inne i saken.
oppgave-samarbeid = { $antall } tjenester følger opp barnet: { $tjenester }. Ingen koordinator er oppnevnt. Vurder samarbeid og hvem som skal samordne. Regnet fra { $dato }, da tjeneste nummer to kom inn.
oppgave-bekymringsmelding = Bekymringsmeldingen kom inn { $dato }. Den skal gjennomgås innen sju dager.
oppgave-frafall = Fraværet har passert grensen i skoleåret { $skolear }, og en annen tjeneste følger også opp. Vurder sammen hva som kan hindre frafall. Regnet fra { $dato }.
