"""What the portal's pages load is what set-up installs."""

import re
from pathlib import Path

import consumers.portal
from deploy.assets import FILES

TEMPLATES = Path(consumers.portal.__file__).parent / "templates"


def test_every_installed_file_is_loaded_by_a_page_and_every_loaded_one_is_installed() -> None:
    pages = "\n".join(page.read_text() for page in TEMPLATES.glob("*.html"))
    assert set(re.findall(r"/static/vendor/([\w.-]+)", pages)) == FILES.keys()
