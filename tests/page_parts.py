"""Reads pages of HTML with Python's own parser and prints what they are made of, a line of JSON for each.

    page_parts.py PAGE...

faults: tags that don't match, ids given twice, links to ids that aren't there, tables without a caption or headings,
drawings without a label. elements: how many there are of each. references: of all src, href and url(...), those that
lead out of the page. sections: of each section's id its text. tables: of each caption its rows, as lists of text.
attributes: all that are called on... (handlers). title, scripts and styles: their text.
"""

import html.parser
import json
import re
import sys

VOID = {"meta", "link", "br", "img", "input", "hr", "base", "col", "source", "wbr", "area", "embed", "track"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.references, self.handlers = [], [], [], []
        self.elements, self.ids, self.targets = {}, set(), []
        self.sections, self.tables = {}, {}
        self.section = self.table = self.caption = self.cell = None
        self.texts = {"title": "", "script": "", "style": ""}
        self.headings = 0

    def element(self, tag, attributes):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        found = dict(attributes)
        if len(found) != len(attributes):
            self.faults.append(f"<{tag}> has an attribute twice")
        if "id" in found:
            if found["id"] in self.ids:
                self.faults.append(f"id {found['id']} twice")
            self.ids.add(found["id"])
        for name, value in attributes:
            value = value or ""
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}")
            if name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
                if value.startswith("#"):
                    self.targets.append(value[1:])
                elif not value.startswith("data:"):
                    self.references.append(value)
            if name == "style":
                self.references += re.findall(r"url\(|@import", value)
        if tag == "svg" and "svg" not in self.open:
            if not (found.get("aria-hidden") == "true" or (found.get("role") == "img" and found.get("aria-label"))):
                self.faults.append("a drawing without a label")
        return found

    def handle_startendtag(self, tag, attributes):
        self.element(tag, attributes)

    def handle_starttag(self, tag, attributes):
        found = self.element(tag, attributes)
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "section":
            self.section = found.get("id", "")
            self.sections[self.section] = ""
        elif tag == "table":
            self.table, self.caption, self.headings = [], "", 0
        elif tag == "tr" and self.table is not None:
            self.table.append([])
        elif tag in ("td", "th"):
            self.cell = ""
            if tag == "th":
                self.headings += 1
                if found.get("scope") not in ("row", "col"):
                    self.faults.append("a heading of a table without a scope")

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> where {self.open[-1:]} is open")
            return
        self.open.pop()
        if tag in ("td", "th") and self.table:
            self.table[-1].append(self.cell)
            self.cell = None
        elif tag == "table":
            if not self.caption or not self.headings:
                self.faults.append("a table without a caption or headings")
            self.tables[self.caption] = self.table
            self.table = None
        elif tag == "section":
            self.section = None

    def handle_data(self, data):
        tag = self.open[-1] if self.open else ""
        if tag in self.texts and "svg" not in self.open:
            self.texts[tag] += data
            return
        if tag == "caption":
            self.caption += data
        if self.cell is not None:
            self.cell += data
        if self.section is not None:
            self.sections[self.section] += data


def parts(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    page.faults += [f"<{tag}> is never closed" for tag in page.open]
    page.faults += [f"no #{target}" for target in page.targets if target not in page.ids]
    page.references += re.findall(r"url\(|@import|https?://[^\s\"']*", page.texts["style"] + page.texts["script"])
    return {"page": path, "faults": page.faults, "elements": page.elements, "references": page.references,
            "handlers": page.handlers, "sections": page.sections, "tables": page.tables, **page.texts}


for argument in sys.argv[1:]:
    print(json.dumps(parts(argument)))
