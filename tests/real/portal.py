"""The portal in Debian's Chromium: the guide of the original from start to end, as an owner clicks it.

For each backend: `pathward serve --demo` is started anew, its one-time link opened, a data source to the
backend's own server made, tried, restricted, given write access, renamed, looked through and deleted.
After each step Algorithmia's Python client reads what the portal allowed, and not what it did not.
Beside that: the form by keyboard alone, the pages without scripts, and axe-core on every page, in light
and dark, wide and at the width of a phone.

Runs in the Python environment `portal` of tests/real/setup, as a process of its own:

    portal.py CONFIG.json

and writes a line of JSON for each check. With "pictures" in its configuration it writes screenshots there.
"""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import traceback

from playwright.sync_api import Error, expect, sync_playwright

CONFIG = json.loads(pathlib.Path(sys.argv[1]).read_text())
HOSTILE = "\"'><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
WIDE, PHONE = {"width": 1180, "height": 860}, {"width": 390, "height": 844}


def say(name, ok, detail=""):
    print(json.dumps({"name": name, "ok": bool(ok), "detail": str(detail)}), flush=True)


@contextlib.contextmanager
def check(name):
    """A step that passes when it comes to its end."""
    try:
        yield
    except (AssertionError, Error) as error:
        line = traceback.extract_tb(error.__traceback__)[1].lineno
        say(name, False, f"line {line}: {error}")
        raise
    say(name, True)


def client(code, key=None):
    """Runs a line of Python with Algorithmia's client; what it printed, or the error's text."""
    program = ("import sys, Algorithmia\nclient = Algorithmia.client(sys.argv[1], sys.argv[2])\n"
               "try:\n    print(repr(eval(sys.argv[3])))\nexcept Exception as error:\n    print('ERROR', error)\n")
    done = subprocess.run([CONFIG["python"], "-B", "-c", program, key or CONFIG["key"], CONFIG["gateway"], code],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() + done.stderr.strip()


class Portal:
    """The portal in a browser."""

    def __init__(self, browser, base):
        self.browser, self.base, self.state = browser, base, None
        self.refused, self.bodies = [], []

    def open(self, **options):
        context = self.browser.new_context(base_url=self.base, storage_state=self.state, **options)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and self.refused.append(message.text))
        page.on("pageerror", lambda error: self.refused.append(str(error)))
        return page

    def keep(self, page):
        self.state = page.context.storage_state()


def picture(page, name, of=None):
    """What a window shows that was scrolled to there."""
    if "pictures" in CONFIG:
        if of:
            page.locator(of).evaluate("(part) => window.scrollTo(0, part.getBoundingClientRect().top + scrollY - 16)")
        page.screenshot(path=f"{CONFIG['pictures']}/{name}.png", animations="disabled")


def axe(portal, name, path, prepare=None):
    """No violation that axe-core knows, however the page is looked at."""
    found = []
    for scheme in ("light", "dark"):
        for size in (WIDE, PHONE):
            # Axe is put into the page by what the page's own policy refuses.
            page = portal.open(color_scheme=scheme, viewport=size, bypass_csp=True)
            page.goto(path)
            if prepare:
                prepare(page)
            page.add_script_tag(path=CONFIG["axe"])
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            for violation in result["violations"]:
                nodes = [(node["html"][:160], node["failureSummary"][:300]) for node in violation["nodes"][:3]]
                found.append((scheme, size["width"], violation["id"], nodes))
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                found.append((scheme, size["width"], "scrolls sideways", wide))
            page.context.close()
    say(f"axe-core: {name}", not found, found)


def rules(page, *texts):
    """Fills in the restrictions, as one types them: Enter makes the next row."""
    for _ in range(page.locator("[data-list=restriction] > li").count() - 1):
        page.locator("[data-list=restriction] [data-remove]").last.click()
    first = page.get_by_role("textbox", name="Restriction 1", exact=True)
    first.fill(texts[0])
    for text in texts[1:]:
        page.keyboard.press("Enter")
        page.keyboard.type(text)


def tried(page, operation, path, words):
    page.get_by_label("Operation").select_option(operation)
    page.get_by_label("Path", exact=True).fill(path)
    page.get_by_role("button", name="Try").click()
    expect(page.locator("#attempt")).to_contain_text(words)


def main(browser):
    bucket, base = CONFIG["bucket"], CONFIG["portal"]
    portal = Portal(browser, base)
    page = portal.open(viewport=WIDE)

    with check("the one-time link makes a user and a key, and shows the key once"):
        page.goto(CONFIG["link"])
        expect(page).to_have_title("Set up · Pathward")
        axe(portal, "set up", CONFIG["link"])
        page.get_by_label("Your name").fill("demo")
        page.get_by_role("button", name="Make my key").click()
        key = page.get_by_label("API key portal").input_value()
        assert re.fullmatch(r"sim[A-Za-z0-9]{40}", key), key
        page.get_by_role("link", name="Go to the data sources").click()
        expect(page.get_by_role("heading", name="Data sources")).to_be_visible()
        portal.keep(page)
        other = browser.new_context().new_page()
        assert other.goto(CONFIG["link"]).status == 410
        other.context.close()

    with check("signing out ends the session, and the key signs in again"):
        page.get_by_role("button", name="Sign out").click()
        axe(portal, "sign in", "/sign-in")
        page.goto("/keys")
        expect(page).to_have_title("Sign in · Pathward")
        page.get_by_label("API key").fill("simNobody")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#problems")).to_be_focused()
        expect(page.get_by_label("API key")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_title("API keys · Pathward")
        portal.keep(page)

    with check("New Data Source, Amazon S3: the form of the guide"):
        page.goto("/sources")
        page.get_by_text("New Data Source").click()
        picture(page, "sources")
        page.get_by_role("link", name="S3-compatible server").click()
        expect(page).to_have_title("New data source: S3-compatible server · Pathward")
        label = page.get_by_role("textbox", name="Label", exact=True)
        assert re.fullmatch(r"[a-z0-9-]+", label.input_value()), label.input_value()
        expect(page.get_by_role("textbox", name="Restriction 1", exact=True)).to_have_value("*")
        expect(page.get_by_label("Write Access")).not_to_be_checked()

    with check("what is missing is said at the top and beside the field"):
        page.get_by_role("button", name="Create data source").click()
        expect(page.locator("#problems")).to_be_focused()
        expect(page.locator("#credentials-said")).to_contain_text("access key")
        page.locator("#problems a").first.click()
        expect(page.get_by_label("AWS Access Key ID")).to_be_focused()

    with check("a secret that was entered is kept, and in no page, when something else is wrong"):
        page.get_by_role("textbox", name="Label", exact=True).fill("no such label!")
        page.get_by_label("AWS Access Key ID").fill(CONFIG["access_key"])
        page.get_by_label("AWS Secret Access Key").fill(CONFIG["secret_key"])
        page.get_by_label("Endpoint").fill(CONFIG["endpoint"])
        page.get_by_label("Region", exact=True).fill("us-east-1")
        page.get_by_role("button", name="Create data source").click()
        expect(page.locator("#label-said")).to_contain_text("label")
        assert CONFIG["secret_key"] not in page.content()
        expect(page.get_by_text("The key that you entered is kept until you save")).to_be_visible()
        picture(page, "problem")

    with check("words and findings follow what is typed"):
        page.get_by_role("textbox", name="Label", exact=True).fill("guide")
        expect(page.locator("#label-said")).to_be_empty()
        expect(page.locator("[data-mirror=label]")).to_have_text("guide")
        rules(page, f"{bucket}/test_data.csv", f"{bucket}*")
        expect(page.locator("#restriction-1-said .finding").first).to_be_visible()
        expect(page.locator("#restriction-0-said .words")).not_to_be_empty()
        picture(page, "restrictions", "section[aria-labelledby=part-paths]")

    with check("a path is tried against the unsaved draft, with the line that decided"):
        rules(page, f"{bucket}/test_data.csv", f"{bucket}/reports/")
        tried(page, "read", f"{bucket}/test_data.csv", "Allowed.")
        expect(page.locator("#attempt")).to_contain_text("Restriction 1")
        tried(page, "read", f"{bucket}/secret/k.txt", "deny.no_match")
        tried(page, "write", f"{bucket}/test_data.csv", "deny.access")
        tried(page, "read", f"{bucket}/../x", "invalid.path")
        tried(page, "read", HOSTILE, "valid")
        assert page.title() != "owned"
        tried(page, "list", f"{bucket}/reports/", "Allowed.")

    with check("it is created, and code reaches what it allows and nothing else"):
        page.get_by_role("button", name="Create data source").click()
        expect(page.get_by_text("s3+guide was created")).to_be_visible()
        expect(page.get_by_text(f"its id ends in {CONFIG['access_key'][-4:]}")).to_be_visible()
        page.get_by_role("button", name="Test the connection").click()
        expect(page.locator("#tested")).to_have_class(re.compile("allow"))
        read = client(f"client.file('s3+guide://{bucket}/test_data.csv').getString()[:4]")
        assert not read.startswith("ERROR"), read
        read = client(f"client.file('s3+guide://{bucket}/private.txt').getString()")
        assert "does not permit" in read, read
        put = client(f"client.file('s3+guide://{bucket}/test_data.csv').put('x')")
        assert put.startswith("ERROR") and "403" in put, put

    identity = page.url.split("/sources/")[1].split("/")[0]
    here = f"/sources/{identity}"

    with check("the browser shows what code sees"):
        page.goto(f"{here}/browse")
        page.get_by_role("link", name=f"Folder {bucket}/").click()
        expect(page.get_by_text("test_data.csv")).to_be_visible()
        expect(page.get_by_text("private.txt")).to_have_count(0)
        page.get_by_role("link", name="Folder reports/").click()
        expect(page.get_by_role("table")).to_be_visible()
        picture(page, "browse")
        page.goto(f"{here}/browse?path={bucket}/secret/")
        expect(page.get_by_role("heading", name="Denied")).to_be_visible()

    with check("a change is reviewed before it is saved: newly allowed, no longer allowed, by example"):
        page.goto(here)
        rules(page, f"{bucket}/reports/", f"{bucket}/work/")
        page.get_by_label("Write Access").check()
        page.get_by_role("button", name="Review changes").click()
        expect(page.locator(".opened")).to_contain_text(f"{bucket}/work/")
        expect(page.locator(".lost")).to_contain_text(f"{bucket}/test_data.csv")
        picture(page, "review")
        axe_form = page.locator("form.actions").inner_html()
        assert CONFIG["secret_key"] not in axe_form and CONFIG["access_key"] not in axe_form
        page.get_by_role("button", name="Back to editing").click()
        expect(page.get_by_role("textbox", name="Restriction 2", exact=True)).to_have_value(f"{bucket}/work/")
        page.get_by_role("button", name="Review changes").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("s3+guide was saved")).to_be_visible()

    with check("code reads and writes what the change allows, at once"):
        for path, code in (("work/portal.txt", "put('by the portal')"), ("work/portal.txt", "getString()"),
                           ("work/portal.txt", "delete()")):
            done = client(f"client.file('s3+guide://{bucket}/{path}').{code}")
            assert not done.startswith("ERROR"), done
        read = client(f"client.file('s3+guide://{bucket}/test_data.csv').getString()")
        assert "does not permit" in read, read

    with check("the label changes, and the data source stays the same one"):
        page.goto(here)
        page.get_by_role("textbox", name="Label", exact=True).fill("renamed")
        page.get_by_role("button", name="Review changes").click()
        expect(page.get_by_text("s3+renamed")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("s3+renamed was saved")).to_be_visible()
        assert page.url.endswith(here), page.url
        assert "ERROR" in client(f"client.dir('s3+guide://{bucket}/reports').exists() or 1/0")
        assert not client(f"list(client.dir('s3+renamed://{bucket}/reports').list())[0]").startswith("ERROR")

    with check("two editors: the second is told, and nothing is lost"):
        page.goto(here)
        second = portal.open(viewport=WIDE)
        second.goto(here)
        for editor, region in ((page, "eu-west-1"), (second, "eu-west-3")):
            if not editor.get_by_label("Region", exact=True).is_visible():
                editor.get_by_text("Region and server").click()
            editor.get_by_label("Region", exact=True).fill(region)
        for editor in (page, second):
            editor.get_by_role("button", name="Review changes").click()
        expect(second.get_by_role("button", name="Save")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        second.get_by_role("button", name="Save").click()
        expect(second.get_by_text("Somebody else changed this data source")).to_be_visible()
        second.context.close()
        page.goto(here)
        page.get_by_label("Region", exact=True).fill("us-east-1")
        page.get_by_role("button", name="Review changes").click()
        page.get_by_role("button", name="Save").click()

    with check("hostile text in every field stays text"):
        page.goto("/sources/new")
        for name in ("label", "region", "endpoint", "try_path", "restriction-0-text"):
            if not page.locator(f"#{name}").is_visible():
                page.get_by_text("Region and server").click()
            page.locator(f"#{name}").fill(HOSTILE)
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#problems")).to_be_visible()
        for name in ("label", "region", "endpoint", "restriction-0-text"):
            expect(page.locator(f"#{name}")).to_have_value(HOSTILE[:64] if name == "label" else HOSTILE)
        assert page.locator("script:not([src])").count() == 0 and page.locator("img").count() == 0
        page.goto(f"/sources?q={HOSTILE.replace('#', '%23')}")
        page.goto(f"{here}/browse?path={HOSTILE.replace('#', '%23')}")
        assert page.title() != "owned"

    with check("the main form by keyboard alone"):
        page.goto("/sources/new")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        reached = walk(page, "label")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("by-keyboard")
        for field, text in (("access_key_id", CONFIG["access_key"]), ("secret_access_key", CONFIG["secret_key"])):
            reached += walk(page, field)
            page.keyboard.type(text)
        walk(page, "restriction-0-text")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(f"{bucket}/reports/")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Restriction 2", exact=True)).to_be_focused()
        page.keyboard.type(f"{bucket}/team.jpg")
        walk(page, "write_access")
        page.keyboard.press("Space")
        walk(page, "try_path")
        page.keyboard.type(f"{bucket}/team.jpg")
        page.keyboard.press("Enter")
        expect(page.locator("#attempt")).to_contain_text("Restriction 2")
        for _ in range(9):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.value") == "save":
                break
        page.keyboard.press("Enter")
        expect(page.get_by_text("s3+by-keyboard was created")).to_be_visible()
        assert reached, "Tab reaches the fields"
        portal.keep(page)

    with check("without scripts every button of the form works"):
        plain = portal.open(viewport=WIDE, java_script_enabled=False)
        plain.goto("/sources/new")
        plain.get_by_role("textbox", name="Restriction 1", exact=True).fill(f"{bucket}/reports/")
        plain.get_by_role("button", name="Add a restriction").click()
        plain.get_by_role("textbox", name="Restriction 2", exact=True).fill(f"{bucket}*")
        plain.get_by_label("Path", exact=True).fill(f"{bucket}/reports/x")
        plain.get_by_role("button", name="Try").click()
        expect(plain.locator("#attempt")).to_contain_text("Decided by Restriction")
        expect(plain.locator("#restriction-1-said .finding").first).to_be_visible()
        plain.get_by_role("button", name="Remove Restriction 2").click()
        expect(plain.locator("[data-list=restriction] > li")).to_have_count(1)
        plain.context.close()

    with check("an API key is made, shown once, and revoked"):
        page.goto("/keys")
        page.get_by_label("Name of the key").fill("laptop")
        page.get_by_role("button", name="Make the key").click()
        made = page.get_by_label("API key laptop").input_value()
        picture(page, "key")
        page.get_by_role("link", name="Go to the API keys").click()
        assert made not in page.content()
        page.get_by_role("link", name="Revoke laptop").click()
        page.get_by_role("button", name="Revoke laptop").click()
        expect(page.get_by_text("The key laptop was revoked")).to_be_visible()

    with check("a key for one data source reads there, and to it the others do not exist"):
        page.goto("/keys")
        page.get_by_label("Name of the key").fill("agent")
        expect(page.get_by_role("checkbox", name="s3+renamed")).to_be_hidden()
        page.get_by_label("Only these").check()
        page.get_by_role("button", name="Make the key").click()
        expect(page.locator("#problems")).to_be_focused()
        page.goto("/keys")
        page.get_by_label("Name of the key").fill("agent")
        page.get_by_label("Only these").check()
        page.get_by_role("checkbox", name="s3+renamed").check()
        picture(page, "reach")
        page.get_by_role("button", name="Make the key").click()
        expect(page.locator("#secret-hint")).to_contain_text("in s3+renamed alone")
        agent = page.get_by_label("API key agent").input_value()
        folder, other = f"client.dir('s3+renamed://{bucket}/reports')", "client.dir('s3+saha://Algorithmia')"
        assert not client(f"list({folder}.list())[0]", agent).startswith("ERROR")
        assert not client(f"list({other}.list())[0]").startswith("ERROR")
        read = client(f"list({other}.list())[0]", agent)
        assert read.startswith("ERROR"), read

    filled = [f"{bucket}/team.jpg", f"{bucket}*", "a/../b"]

    def prepared(page):
        rules(page, *filled)
        page.get_by_label("Path", exact=True).fill(f"{bucket}/team.jpg")
        page.get_by_role("button", name="Try").click()
        expect(page.locator("#restriction-2-said .error")).to_be_visible()
        while page.locator("details:not([open]) > summary").count():
            page.locator("details:not([open]) > summary").first.click()

    def checked(page):
        page.get_by_role("textbox", name="Label", exact=True).fill("not a label")
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#problems")).to_be_visible()

    def reviewed(page):
        rules(page, f"{bucket}/work/")
        page.get_by_role("textbox", name="Label", exact=True).fill("other")
        page.get_by_role("button", name="Review changes").click()
        expect(page.get_by_role("heading", name="Newly allowed")).to_be_visible()

    for name, path, prepare in (
            ("the list", "/sources", None), ("the menu", "/sources", lambda p: p.get_by_text("New Data Source").click()),
            ("nothing found", "/sources?q=nothing-has-this", None), ("a new data source", "/sources/new", None),
            ("a form with findings, problems and a trial", "/sources/new", prepared),
            ("a form with a summary", "/sources/new", checked), ("a stored data source", here, None),
            ("a review", here, reviewed), ("deleting", f"{here}/delete", None), ("browsing", f"{here}/browse", None),
            ("a folder", f"{here}/browse?path={bucket}/reports/", None), ("a denial", f"{here}/browse?path=nowhere/", None),
            ("API keys", "/keys", None), ("a choice of data sources", "/keys", lambda p: p.get_by_label("Only these").check()), ("revoking", "/keys/revoke?id=portal", None), ("no such page", "/nothing", None)):
        axe(portal, name, path, prepare)

    if "pictures" in CONFIG:
        for name, scheme, size in (("dark", "dark", WIDE), ("phone", "light", PHONE)):
            look = portal.open(color_scheme=scheme, viewport=size)
            look.goto(here)
            picture(look, name)
            look.context.close()

    with check("deleting asks first and names what it deletes; then code finds nothing"):
        page.goto(here)
        page.get_by_role("link", name="Delete").click()
        expect(page.get_by_role("heading", name="Delete s3+renamed?")).to_be_visible()
        expect(page.get_by_text("The API key agent is for it alone")).to_be_visible()
        picture(page, "delete")
        page.get_by_role("button", name="Delete s3+renamed").click()
        expect(page.get_by_text("s3+renamed was deleted")).to_be_visible()
        assert page.goto(here).status == 404
        for key in (None, agent):
            assert "ERROR" in client(f"client.file('s3+renamed://{bucket}/reports/2026.pdf').getBytes()", key)

    with check("a session ends with the key that opened it"):
        page.goto("/keys/revoke?id=portal")
        page.get_by_role("button", name="Revoke portal").click()
        expect(page).to_have_title("Sign in · Pathward")

    # What a page is refused for being missing or wrong is said in the console too.
    unexpected = [text for text in portal.refused if "status of 4" not in text]
    say("no page asks for what its policy refuses, and no script fails", not unexpected, unexpected[:5])


def walk(page, field):
    """Presses Tab until a field has the focus. How often."""
    for times in range(40):
        if page.evaluate("document.activeElement.id") == field:
            return times
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {field}")


with sync_playwright() as playwright:
    started = playwright.chromium.launch(executable_path=CONFIG["chromium"], args=["--no-sandbox"])
    try:
        main(started)
        say("everything was asked", True)
    except (AssertionError, Error) as error:
        say("everything was asked", False, error)
    finally:
        started.close()
