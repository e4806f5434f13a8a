"""A task's page: what may be done is offered, done by the commands of the API, and a no says why."""

from consumers.portal import visning
from consumers.portal.sider import Portal, alert_html
from tests.unit.portal.conftest import Browser
from tests.unit.portal.verden import FORESATT, KOMMUNE, Varsler, Verden, known_by_its_task_alone, principal

LAERER = principal("fagperson", "skole")
NAV = principal("fagperson", "nav")
REVISOR = principal("revisor")


async def test_the_page_offers_what_coordination_says_may_be_done(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [verden.event(kari, "skole", "elevforhold.startet")])
    verden.flow(task["id"], "ta", "tilby", "avvis", "kommenter")
    body = (await browser(LAERER).get(f"/oppgaver/{task['id']}")).text
    for action in ("ta", "tilby", "avvis", "kommentarer"):
        assert f'action="/oppgaver/{task["id"]}/{action}"' in body
    assert "/utfor" not in body
    assert '<option value="nav">NAV</option>' in body
    assert '<option value="mangler-kapasitet">' in body
    assert "Skole tilbød NAV" in body
    assert 'name="versjon" value="3"' in body
    assert (await browser(REVISOR).get(f"/oppgaver/{task['id']}")).status_code == 404
    verden.flows.clear()
    assert (await browser(LAERER).get(f"/oppgaver/{task['id']}")).status_code == 404


async def test_the_page_says_why_the_task_is_there(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [])
    fact = {"tjeneste": "skole", "type": "no.samspor.skole.ppt.henvist", "dato": "2026-03-02"}
    said = {"regel": "Regelen «ppt», versjon 1.", "frist": "Fristen er satt.", "fakta": [fact]}
    verden.flow(task["id"], "ta", forklart=said)
    body = (await browser(LAERER).get(f"/oppgaver/{task['id']}")).text
    assert "Hvorfor denne oppgaven" in body
    assert "Regelen «ppt», versjon 1." in body
    assert "Fristen er satt." in body
    assert "Skole: Henvist til PPT, 2.\u00a0mars\u00a02026" in body


async def test_a_button_gives_the_command_with_the_version_she_saw(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [])
    verden.flow(task["id"], "tilby")
    form = {"versjon": "3", "til": "nav", "kommentar": "Dere kjenner familien."}
    path = f"/oppgaver/{task['id']}"
    answer = await browser(LAERER).post(f"{path}/tilby", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    [(called, said)] = verden.orders
    assert called == f"/samordning{path}/ordre/tilby"
    assert {k: said[k] for k in ("versjon", "til", "kommentar")} == {**form, "versjon": 3}
    assert said["viewer"]["sub"] == LAERER.sub
    htmx = await browser(LAERER).post(
        f"{path}/kommentarer", data={"kommentar": "Hei"}, headers={"hx-request": "1"}
    )
    assert htmx.text.startswith('<div id="flyt"'), "the part that changed, for htmx to put in place"
    assert verden.orders[-1][1]["tekst"] == "Hei"


async def test_a_no_says_why_and_what_to_do(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [])
    verden.flow(task["id"], "ta")
    verden.refusal = (412, {"title": "Noe har skjedd.", "detail": "Hent på nytt."})
    answer = await browser(LAERER).post(f"/oppgaver/{task['id']}/ta", data={"versjon": "2"})
    assert answer.status_code == 412
    assert "Noe har skjedd.</strong> Hent på nytt." in answer.text
    verden.refusal = (404, {})
    assert (await browser(LAERER).post(f"/oppgaver/{task['id']}/ta", data={})).status_code == 404


async def test_the_batons_page_has_its_holder_and_its_own_words(verden: Verden, browser: Browser) -> None:
    kari = verden.child("Kari Nordmann")
    verden.event(kari, "skole", "elevforhold.startet")
    verden.flow(kari, "tilby", versjon=1)
    page = (await browser(LAERER).get(f"/barn/{kari}/stafett")).text
    assert "Holder stafettpinnen:</strong> Skole" in page
    assert "Tilby stafettpinnen" in page
    assert "Holder stafettpinnen:</strong> Skole" in (await browser(LAERER).get(f"/barn/{kari}")).text
    await browser(LAERER).post(f"/barn/{kari}/stafett/tilby", data={"versjon": "1", "til": "nav"})
    assert verden.orders[-1][0] == f"/samordning/stafett/{kari}/ordre/tilby"
    verden.flows.clear()
    assert (await browser(LAERER).get(f"/barn/{kari}/stafett")).status_code == 404


async def test_an_offer_alerts_who_is_asked_and_nobody_else(
    portal: Portal, verden: Verden, varsler: Varsler
) -> None:
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [], tilbudt_til="nav", flyt="tilbudt", kommune=KOMMUNE)
    offered, refused = varsler.add(task, "tilbudt", 2), varsler.add(task, "avvist", 3)
    shown = await alert_html(portal, NAV, offered)
    assert shown is not None
    assert "Tilbudt dere" in shown
    assert await alert_html(portal, LAERER, offered) is None
    assert await alert_html(portal, NAV, refused) is None
    assert "Sagt nei til" in (await alert_html(portal, LAERER, refused) or "")
    task["tilbudt_til"] = None
    assert await alert_html(portal, NAV, offered) is None, "an offer that is answered is news to nobody"


async def test_an_overdue_task_alerts_its_holder_and_to_whom_it_was_raised_and_nobody_else(
    portal: Portal, verden: Verden, varsler: Varsler
) -> None:
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [], loftet_til="nav", kommune=KOMMUNE)
    raised, opened = varsler.add(task, "eskalert", 2), varsler.add(task, "opprettet", 1)
    assert await alert_html(portal, NAV, raised) is not None
    assert await alert_html(portal, LAERER, raised) is not None
    assert await alert_html(portal, NAV, opened) is None
    task["loftet_til"] = None
    assert await alert_html(portal, NAV, raised) is None, "who took it has it"


async def test_a_service_that_knows_the_child_by_its_task_alone_finds_task_child_and_name_everywhere(
    verden: Verden, varsler: Varsler, portal: Portal, browser: Browser
) -> None:
    verden.gate = known_by_its_task_alone
    kari, ola = verden.child("Kari Nordmann"), verden.child("Ola Nordmann")
    planned = verden.event(kari, "skole", "overgang.planlagt", {"slag": "skole-nav", "til": "nav"})
    task = verden.task(kari, "nav", [planned], regel="overgang")
    verden.task(ola, "nav", [], status="oppfylt")
    verden.flow(task["id"], "utfor")
    client = browser(NAV)
    pages = (
        "/",
        "/oppgaver",
        f"/barn/{kari}",
        f"/oppgaver/{task['id']}",
        visning.way(planned["source"], planned["id"]),
    )
    for page in pages:
        answer = await client.get(page)
        assert answer.status_code == 200, page
        assert "Kari Nordmann" in answer.text, page
        assert f"/oppgaver/{task['id']}" in answer.text, page
        assert "Ola" not in answer.text, page
    assert "Kari Nordmann" in str(await alert_html(portal, NAV, varsler.add(task)))
    assert (await client.get(f"/barn/{ola}")).status_code == 404, "its task is over"


async def test_a_family_has_no_page_of_a_task_or_a_baton_and_gives_no_command(
    verden: Verden, browser: Browser
) -> None:
    """The address is the task's id, which whoever knows the child's can count out."""
    kari = verden.child("Kari Nordmann")
    task = verden.task(kari, "skole", [])
    verden.flow(task["id"], "ta")
    verden.flow(kari, "ta")
    client = browser(FORESATT)
    for path in (f"/oppgaver/{task['id']}", f"/barn/{kari}/stafett"):
        assert (await client.get(path)).status_code == 404
        assert (await client.post(f"{path}/ta", data={"versjon": "3"})).status_code == 404
    commented = await client.post(f"/oppgaver/{task['id']}/kommentarer", data={"kommentar": "Hei"})
    assert commented.status_code == 404
    assert verden.orders == []
