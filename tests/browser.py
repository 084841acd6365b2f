"""Opens pages in Debian's chromium and tells what a person would see and hear of them.

    browser.py [--screenshots FOLDER] PAGE...

For each page, width (1280 and 390 pixels) and colour scheme, a line of JSON: width, scheme, scroll_width (how wide the
page is), sections (their ids), visible (characters of text), errors (of the console, and of scripts), requests (all
that was asked for beside the page itself), sorted (whether a click on a title sorted the first table) and tip (what
a click on a drawing showed). A PNG of each where a folder is given. Needs nothing but Python and chromium, which is
spoken to over a pipe.
"""

import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PROBE = """(() => {
  const ids = [...document.querySelectorAll('main section')].map(s => s.id);
  const head = document.querySelector('table.sortable thead th:nth-child(3) button');
  const order = () => [...document.querySelectorAll('table.sortable')[0].tBodies[0].rows].map(
      row => Number(row.cells[2].dataset.order));
  const falls = (v, i, all) => i === 0 || all[i - 1] >= v;
  let sorted = false;
  if (head) { sorted = !order().every(falls); head.click(); sorted = sorted && order().every(falls); }
  const part = document.querySelector('#network svg g');
  let tip = '';
  if (part) {
    part.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: 100, clientY: 100}));
    const shown = document.getElementById('tip');
    tip = shown ? shown.textContent : '';
    document.body.click();
  }
  return {scroll_width: document.documentElement.scrollWidth, inner_width: innerWidth,
          height: document.documentElement.scrollHeight, sections: ids,
          visible: document.body.innerText.length, title: document.title,
          sorted: sorted, tip: tip,
          open_tip: !!document.getElementById('tip')};
})()"""


class Browser:
    """Chromium, by its DevTools protocol: JSON with a zero byte after it."""

    def __init__(self, folder):
        to_browser, self.writer = os.pipe()
        self.reader, from_browser = os.pipe()
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
                   "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}",
                   "--remote-debugging-pipe", "about:blank"]

        def pipes():
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        # The numbers 3 and 4 are the protocol's; what lies there now is moved away first.
        to_browser, from_browser = (os.dup(fd) if fd in (3, 4) else fd for fd in (to_browser, from_browser))
        self.process = subprocess.Popen(command, preexec_fn=pipes, pass_fds=(3, 4, to_browser, from_browser),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.events = 0, b"", []

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.reader, 1 << 16)
            if not more:
                sys.exit("chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.writer, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.read())


def look(browser, page, width, scheme, folder):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable", session)
    browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=844, mobile=width < 600,
                 deviceScaleFactor=1)
    browser.call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    url = pathlib.Path(page).resolve().as_uri()
    browser.call("Page.navigate", session, url=url)
    browser.wait("Page.loadEventFired")
    if folder:
        height = browser.call("Runtime.evaluate", session, expression="document.documentElement.scrollHeight")
        size = {"x": 0, "y": 0, "width": width, "height": min(height["result"]["value"], 15000), "scale": 1}
        picture = browser.call("Page.captureScreenshot", session, format="png", captureBeyondViewport=True, clip=size)
        name = f"{pathlib.Path(page).stem}-{width}-{scheme}.png"
        (pathlib.Path(folder) / name).write_bytes(base64.b64decode(picture["data"]))
    seen = browser.call("Runtime.evaluate", session, expression=PROBE, returnByValue=True)["result"]["value"]
    later = "new Promise(done => setTimeout(done, 200))"  # for what comes of itself
    browser.call("Runtime.evaluate", session, expression=later, awaitPromise=True)
    errors, requests = [], []
    for event in browser.events:
        parameters = event.get("params", {})
        if event["method"] == "Runtime.exceptionThrown":
            errors.append(parameters["exceptionDetails"].get("text", "exception"))
        elif event["method"] == "Runtime.consoleAPICalled":
            errors.append("console." + parameters["type"])
        elif event["method"] == "Log.entryAdded":
            errors.append(parameters["entry"]["text"])
        elif event["method"] == "Network.requestWillBeSent":
            asked = parameters["request"]["url"]
            if asked != url and not asked.startswith("data:"):
                requests.append(asked)
    browser.call("Target.closeTarget", targetId=target)
    return {"page": str(page), "width": width, "scheme": scheme, "errors": errors, "requests": requests, **seen}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--screenshots")
    parser.add_argument("pages", nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        for page in arguments.pages:
            for width in (1280, 390):
                for scheme in ("light", "dark"):
                    print(json.dumps(look(browser, page, width, scheme, arguments.screenshots)), flush=True)
        browser.call("Browser.close")
        browser.process.wait(30)


if __name__ == "__main__":
    main()
