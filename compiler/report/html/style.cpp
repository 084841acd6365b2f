#include "compiler/report/html/style.hpp"

namespace nnomc {

const char* const kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --bg: #ffffff; --text: #1b1f24; --muted: #5b626c; --line: #dfe2e6; --card: #f6f7f9;
  --accent: #2b62a3; --accent-rgb: 43 98 163; --soft: #c9d8ea;
  --good: #1d7446; --warn: #915700; --bad: #b3281e;
  --good-bg: #e4f3ea; --warn-bg: #fbefd9; --bad-bg: #fbe4e2;
  --tensor: #6f9bd1; --end: #4fa98a; --scratch: #e0ad55; --state: #a98bcb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #15181c; --text: #e4e7ea; --muted: #9ba3ad; --line: #2e343b; --card: #1d2126;
    --accent: #79b0ea; --accent-rgb: 121 176 234; --soft: #2f4561;
    --good: #69c796; --warn: #e2ac5f; --bad: #f0837a;
    --good-bg: #1a3226; --warn-bg: #38290f; --bad-bg: #401f1c;
    --tensor: #4a74a8; --end: #34806a; --scratch: #a67a2c; --state: #79609a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; scroll-padding-top: 3.2rem; }
body {
  margin: 0; background: var(--bg); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.6rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 0 0 .3rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.sub, .note, caption, figcaption { color: var(--muted); font-size: .875rem; }
.sub { margin: .3rem 0 0; overflow-wrap: anywhere; }
section { padding: 1.6rem 0 .6rem; border-top: 1px solid var(--line); margin-top: 1.4rem; }
.lead { font-size: 1.02rem; overflow-wrap: anywhere; }
code { font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--card);
  border: 1px solid var(--line); border-radius: 4px; padding: .05em .3em; overflow-wrap: anywhere; }
.option { white-space: nowrap; }
nav { position: sticky; top: 0; z-index: 2; background: var(--bg); border-bottom: 1px solid var(--line);
  margin-top: 1rem; }
nav ul { display: flex; gap: 1.2rem; list-style: none; margin: 0 auto; padding: .6rem 1rem;
  max-width: 66rem; overflow-x: auto; white-space: nowrap; font-size: .9rem; scrollbar-width: none; }
nav a { color: var(--muted); text-decoration: none; }
nav a:hover, nav a:focus-visible { color: var(--accent); text-decoration: underline; }
nav + main section:first-of-type { border-top: 0; margin-top: 0; }
.banner { background: var(--bad-bg); color: var(--bad); font-weight: 600; padding: .7rem 1rem;
  border: 1px solid currentColor; border-radius: 8px; margin: 1rem 0 0; }
.banner small { display: block; font-weight: 400; font-size: .9rem; }
.verdict { font-size: 1.35rem; line-height: 1.35; margin: .2rem 0 1rem; max-width: 50rem; }
.verdict b.good { color: var(--good); } .verdict b.warn { color: var(--warn); }
.verdict b.bad { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem;
  margin: 0 0 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .8rem .9rem; min-width: 0; overflow-wrap: anywhere; }
.card h3 { margin: 0; color: var(--muted); font-size: .85rem; font-weight: 600; }
.card .big { font-size: 1.65rem; line-height: 1.25; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.card .note { margin: .35rem 0 0; }
.bar { display: block; height: .5rem; border-radius: 99px; background: var(--line); overflow: hidden;
  margin: .3rem 0; }
.barred { display: flex; align-items: center; justify-content: space-between; gap: .55rem; }
.barred .bar { flex: none; width: 4.2rem; margin: 0; }
.bar i { display: block; height: 100%; background: var(--accent); border-radius: 99px; }
.bar.good i { background: var(--good); } .bar.warn i { background: var(--warn); }
.bar.bad i { background: var(--bad); }
.pill { display: inline-block; padding: 0 .6em; border-radius: 99px; font-size: .82rem;
  font-weight: 600; white-space: nowrap; }
.pill.good { background: var(--good-bg); color: var(--good); }
.pill.warn { background: var(--warn-bg); color: var(--warn); }
.pill.bad { background: var(--bad-bg); color: var(--bad); }
.scroll { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 .4rem; }
th, td { padding: .38rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th:first-child { padding-left: .2rem; }
th:last-child, td:last-child { padding-right: .2rem; }
thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; line-height: 1.25; }
tbody th, tfoot th { font-weight: 500; }
tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
.n { text-align: right; white-space: nowrap; }
.small { color: var(--muted); font-size: .82rem; font-weight: 400; }
tr.chosen { background: var(--card); } tr.chosen th { font-weight: 650; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th button:hover { color: var(--accent); }
th[aria-sort=ascending] button::after { content: "\00a0\2191"; }
th[aria-sort=descending] button::after { content: "\00a0\2193"; }
th .name { overflow-wrap: anywhere; display: block; min-width: 6rem; max-width: 18rem; }
.op { display: block; color: var(--muted); font-size: .8rem; font-weight: 400; line-height: 1.3; }
tr > :first-child { position: sticky; left: 0; background: var(--bg); }
tr.chosen > :first-child { background: var(--card); }
.confusion { width: auto; }
.confusion th, .confusion td { padding: .3rem .5rem; text-align: right; border: 1px solid var(--line); }
.confusion tbody th { text-align: left; white-space: nowrap; max-width: 12rem; overflow: hidden;
  text-overflow: ellipsis; }
.confusion td.hit { background: rgb(var(--accent-rgb) / var(--v)); }
.confusion td.miss { background: color-mix(in srgb, var(--bad) var(--w), transparent); }
figure { margin: .8rem 0 1.2rem; }
svg { display: block; max-width: none; font-family: inherit; }
svg text { fill: var(--text); font-size: 12px; }
svg text.muted { fill: var(--muted); } svg .axis { stroke: var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 0 0 .5rem; padding: 0;
  list-style: none; font-size: .85rem; color: var(--muted); }
.legend span { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .45em; border: 1px solid transparent; }
.plot { display: flex; }
.plot .scroll { flex: 1; margin: 0; min-width: 0; }
.plot svg { overflow: visible; } .plot svg.label { overflow: hidden; }
.piece rect { fill-opacity: .8; stroke: var(--bg); stroke-width: 1.5; }
.tensor rect, span.tensor { fill: var(--tensor); background: var(--tensor); }
.end rect, span.end { fill: var(--end); background: var(--end); }
.scratch rect, span.scratch { fill: var(--scratch); background: var(--scratch); }
.state rect, span.state { fill: var(--state); background: var(--state); }
.label { pointer-events: none; }
.piece:hover rect, .piece:focus rect { fill-opacity: 1; stroke: var(--text); outline: none; }
.peak { fill: none; stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 4 3; }
span.peakkey { border: 1.5px dashed var(--bad); }
svg text.peaktext { fill: var(--bad); font-weight: 600; }
.graph.tall { max-height: 46rem; }
.graph { overflow: auto; border: 1px solid var(--line); border-radius: 10px;
  background: var(--card); }
.graph svg { margin: 0 auto; }
.node rect { fill: var(--bg); stroke: var(--line); stroke-width: 1.2; }
.node rect.share { fill: var(--accent); stroke: none; }
.node:hover rect.box { stroke: var(--accent); }
.node.outer rect.box { fill: var(--soft); stroke: none; }
.node text.title { font-weight: 600; }
.node text { font-size: 11.5px; }
.edge { fill: none; stroke: var(--muted); stroke-width: 1.3; }
.arrow { fill: var(--muted); }
.ranges { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 29rem), 1fr));
  gap: .8rem; }
.ranges .card { padding: .7rem .8rem; }
.ranges .card h3 { color: var(--text); font-size: .95rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .9rem; margin-top: .4rem; }
.pair figure { margin: 0; min-width: 0; }
.pair figure:only-child { grid-column: 1 / -1; }
.pair figcaption { font-size: .78rem; line-height: 1.35; overflow-wrap: anywhere; }
.hist { width: 100%; }
.hist path { fill: var(--accent); }
.hist .lost { fill: var(--bad); fill-opacity: .14; }
.hist line.held { stroke: var(--good); stroke-width: 1.5; }
.hist line.narrow { stroke: var(--warn); stroke-width: 1.2; stroke-dasharray: 3 2; }
.hist line.axis { stroke: var(--line); }
span.held { background: var(--good); } span.narrow { background: var(--warn); }
span.lost { background: var(--bad); opacity: .35; } span.values { background: var(--accent); }
.ends { display: flex; justify-content: space-between; font-size: .74rem; color: var(--muted);
  font-variant-numeric: tabular-nums; }
details { margin: .6rem 0 1rem; }
summary { cursor: pointer; color: var(--accent); padding: .3rem 0; }
ol.advice { padding: 0; margin: 0; list-style: none; display: grid; gap: .8rem; }
ol.advice h3 { margin: 0 0 .2rem; color: var(--text); font-size: 1rem; }
ol.advice ul { margin: .2rem 0 0; padding-left: 1.2rem; } ol.advice li li { margin: .25rem 0; }
footer { margin-top: 1rem; padding-bottom: 2rem; }
#tip { position: fixed; z-index: 3; max-width: min(20rem, 90vw); padding: .4rem .6rem;
  border-radius: 6px; background: var(--text); color: var(--bg); font-size: .82rem; line-height: 1.35;
  pointer-events: none; white-space: pre-line; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { font-size: 15px; }
  h1 { font-size: 1.45rem; } .verdict { font-size: 1.18rem; }
  .cards { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .card { padding: .65rem .7rem; } .card .big { font-size: 1.35rem; }
  th, td { padding: .38rem .5rem; }
  .barred .bar { width: 2.2rem; }
  #verdict .barred { justify-content: end; } #verdict .barred .bar { display: none; }
  #verdict th, #verdict td { padding-left: .3rem; padding-right: .3rem; }
  th .name { max-width: 7.5rem; }
  .wide { display: none; }
}
@media print {
  :root { --bg: #fff; --text: #000; --card: #fff; }
  nav, th button::after, #tip { display: none; }
  .scroll, .graph { overflow: visible; max-height: none; }
  section, .card, figure, tr { break-inside: avoid; } section.long, #network figure { break-inside: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

// Sorting by a click on a title; what a drawing's parts are, by a tap.
const char* const kReportScript = R"js(
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const figures = head.classList.contains("n");
      const state = head.getAttribute("aria-sort");
      const down = state === "none" ? figures : state === "ascending";
      const key = row => {
        const cell = row.cells[column], text = cell.dataset.order || cell.textContent.trim();
        return figures ? (text === "" ? -Infinity : parseFloat(text.replace(/,/g, ""))) : text;
      };
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
      });
      body.append(...rows);
      for (const h of heads) h.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
}
let tip = null;
const hide = () => { if (tip) tip.remove(); tip = null; };
addEventListener("scroll", hide, true);
addEventListener("click", event => {
  hide();
  const part = event.target.closest && event.target.closest("svg g");
  const title = part && part.querySelector(":scope > title");
  if (!title) return;
  tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "status");
  tip.textContent = title.textContent;
  document.body.append(tip);
  const box = tip.getBoundingClientRect(), room = document.documentElement.clientWidth;
  tip.style.left = Math.max(8, Math.min(event.clientX - box.width / 2, room - box.width - 8)) + "px";
  const above = event.clientY - box.height - 12;
  tip.style.top = (above > 8 ? above : event.clientY + 18) + "px";
});
addEventListener("beforeprint", () => {
  for (const d of document.querySelectorAll("details")) d.open = true;
});
)js";

}  // namespace nnomc
