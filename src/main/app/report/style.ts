// The style sheet of a run's report: light and dark by the reader's system, black on white on paper. Colours of grounded
// and hallucinated are blue and orange (Okabe & Ito 2008 tell them apart with any colour vision), contrast WCAG AA.
import { Markup } from './markup.ts'

const light = `
  --ground: #f7f7f8; --surface: #ffffff; --text: #1b1d21; --quiet: #565c66; --line: #dfe1e6; --strong-line: #8b919b;
  --accent: #5f3dc4; --curve: #1769aa; --grounded: #0b4a82; --grounded-ground: #e1effa; --grounded-area: #4a9bd8;
  --hallucinated: #8a3a00; --hallucinated-ground: #fdeada; --hallucinated-area: #e08a2c;
  --better: #1d6b40; --worse: #b4232c; --warning-ground: #fff1f0; --badge-ground: #ece6fb;`
const dark = `
  --ground: #17181b; --surface: #1f2125; --text: #e8eaee; --quiet: #a5abb5; --line: #34373d; --strong-line: #757c88;
  --accent: #c3b3ff; --curve: #74bdf5; --grounded: #a5d5ff; --grounded-ground: #17324a; --grounded-area: #4a9bd8;
  --hallucinated: #ffbd85; --hallucinated-ground: #4a2c12; --hallucinated-area: #e08a2c;
  --better: #69c58f; --worse: #ff8a8a; --warning-ground: #3a1f20; --badge-ground: #382f57;`

export const styleSheet = new Markup(`
:root { color-scheme: light dark;${light}
}
@media (prefers-color-scheme: dark) { :root {${dark}
} }
@media print { :root { color-scheme: light;${light}
  --ground: #ffffff;
} }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.55 "Inter Variable", Inter, system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif;
  overflow-wrap: anywhere; }
header, main { max-width: 70rem; margin: 0 auto; padding: 0 1.5rem; overflow-x: clip; }
header { padding-top: 2rem; }
main { padding-bottom: 4rem; }
.product { margin: 0; color: var(--quiet); font-size: 0.875rem; }
h1 { margin: 0 0 1rem; font-size: 2rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 0 0 0.75rem; font-size: 1.375rem; line-height: 1.3; }
h3 { margin: 1.5rem 0 0.5rem; font-size: 1rem; }
p { max-width: 46rem; margin: 0 0 1rem; }
/* A run of characters that nothing can break is cut off at its block and never widens the page. */
h1, h3, p, dd, ul, figcaption { overflow-x: clip; overflow-clip-margin: 6px; }
main > section { margin-top: 3rem; }
main > section.lead, main > section.warning { margin-top: 1.5rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; padding: 0.5rem 1rem; background: var(--surface); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.quiet, small { color: var(--quiet); }
small { display: block; font-size: 0.8125rem; font-weight: 400; }
.note { color: var(--quiet); font-size: 0.875rem; margin-top: 0.5rem; }
sub { font-size: 0.75em; line-height: 0; }
code { font: 0.875em/1.5 ui-monospace, "Cascadia Mono", "Liberation Mono", monospace; }
dl, dd { margin: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 0.25rem 2rem; font-size: 0.875rem; }
.facts div { display: grid; grid-template-columns: 8.5rem 1fr; }
dt { color: var(--quiet); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 1.25rem 0 0; padding: 0.75rem 0; list-style: none;
  border-block: 1px solid var(--line); }
nav a { display: inline-block; padding: 0.125rem 0; }
.warning { padding: 1.25rem 1.5rem; background: var(--warning-ground); border: 2px solid var(--worse); border-radius: 8px; }
.warning h2 { color: var(--worse); }
.warning p:last-child { margin-bottom: 0; }
.lead { padding: 1.5rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.headline { max-width: 56rem; margin: 0; font-size: 1.25rem; line-height: 1.45; font-weight: 600; padding-left: 1rem;
  border-left: 4px solid var(--strong-line); }
.headline.better { border-color: var(--better); }
.headline.worse { border-color: var(--worse); }
.remarks { margin: 0.75rem 0 0; padding-left: 2.25rem; }
.better { color: var(--better); }
.worse { color: var(--worse); }
.headline.better, .headline.worse { color: var(--text); }
td .better, td .worse { font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem; margin-top: 1.5rem; }
.tiles dt { font-size: 0.875rem; }
.tiles dd { font-size: 1.125rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles strong { font-size: 1.75rem; line-height: 1.2; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; background: var(--surface); font-size: 0.9375rem; overflow-wrap: normal; }
caption { padding: 0.5rem 0; text-align: left; color: var(--quiet); font-size: 0.875rem; }
th, td { padding: 0.5rem 0.75rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { font-size: 0.8125rem; color: var(--quiet); font-weight: 600; vertical-align: bottom;
  border-bottom: 1px solid var(--strong-line); }
tbody th { font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
.any { overflow-wrap: anywhere; min-width: 12rem; }
.hash + .hash { margin-top: 0.25rem; }
.placebo { margin: 1rem 0 0; padding-left: 1.25rem; max-width: 56rem; }
.sum th, .sum td { font-weight: 600; border-top: 1px solid var(--strong-line); }
.bars { width: 22%; min-width: 8rem; }
.bars svg { display: block; width: 100%; height: 14px; margin-top: 0.3rem; }
.bar-before { fill: none; stroke: var(--hallucinated-area); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.bar-after { fill: var(--hallucinated-area); }
.bar-after.neutral { fill: var(--curve); }
.changed th { font-weight: 700; }
.badge { display: inline-block; padding: 0 0.5rem; border-radius: 99px; background: var(--badge-ground); color: var(--accent);
  font-size: 0.75rem; font-weight: 600; white-space: nowrap; }
.group th { padding-top: 1.25rem; font-size: 1rem; font-weight: 700; }
details { margin: 0.75rem 0; }
summary { cursor: pointer; width: fit-content; color: var(--accent); font-size: 0.9375rem; }
figure { margin: 0; padding: 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
figcaption { font-size: 0.9375rem; font-weight: 600; line-height: 1.35; }
figure svg { display: block; width: 100%; height: auto; margin-top: 0.5rem; overflow: visible; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
.charts figure { display: flex; flex-direction: column; justify-content: space-between; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.5rem; align-items: start; }
.grid { stroke: var(--line); }
.axis { stroke: var(--strong-line); }
.tick, .label { fill: var(--quiet); font-size: 11px; font-variant-numeric: tabular-nums; }
.label { fill: var(--text); font-size: 12px; font-weight: 600; }
.label .sub { font-size: 9px; }
.end { text-anchor: end; }
.start { text-anchor: start; }
.middle { text-anchor: middle; }
.band { fill: var(--curve); fill-opacity: 0.18; }
.curve { fill: none; stroke: var(--curve); stroke-width: 2; stroke-linejoin: round; }
.dot { fill: var(--curve); }
.hit { fill: transparent; }
.hit:hover { fill: var(--curve); fill-opacity: 0.3; }
.best { stroke: var(--text); stroke-dasharray: 4 3; }
.area { fill-opacity: 0.35; stroke-width: 2; }
.area.grounded { fill: var(--grounded-area); stroke: var(--grounded); }
.area.hallucinated { fill: var(--hallucinated-area); stroke: var(--hallucinated); stroke-dasharray: 6 3; }
.key { margin: 0.5rem 0 0; font-size: 0.875rem; color: var(--quiet); }
.swatch { display: inline-block; width: 0.875rem; height: 0.875rem; margin: 0 0.25rem 0 0.75rem; vertical-align: -0.1rem; border: 1px solid; }
.swatch:first-child { margin-left: 0; }
.swatch.grounded { background: var(--grounded-area); border-color: var(--grounded); }
.swatch.hallucinated { background: var(--hallucinated-area); border-color: var(--hallucinated); border-style: dashed; }
.legend { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0 0 1.5rem; padding: 0; list-style: none; font-size: 0.9375rem; }
.word { position: relative; padding: 0; padding-inline: 0.2em 1.05em; border-radius: 3px 3px 0 0; font-weight: 500; text-decoration: none;
  box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.word.grounded { color: var(--grounded); background: var(--grounded-ground); border-bottom: 2px solid; }
.word.hallucinated { color: var(--hallucinated); background: var(--hallucinated-ground); border-bottom: 2px dashed; }
.word.neutral { border-bottom: 2px dotted var(--quiet); }
.word.unjudged { padding-inline: 0.2em; border-bottom: 1px dotted var(--quiet); }
/* Placed and not in the line, so that no line breaks between a word and its sign. */
.sign { position: absolute; inset-inline-end: 0.22em; bottom: 0.28em; width: 0.62em; height: 0.62em; fill: none;
  stroke: currentColor; stroke-width: 1.8; }
.word.neutral .sign { stroke: var(--quiet); }
.response { white-space: pre-wrap; }
del.word { text-decoration: line-through 2px; }
.new { margin-left: 0.15em; color: var(--text); font-size: 0.6875rem; font-weight: 600; line-height: 0; }
.scenes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.25rem; }
.scene { padding: 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.scene h3 { margin: 0 0 0.5rem; font-size: 0.875rem; font-weight: 500; color: var(--quiet); }
.scene img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--line); }
.samples { display: grid; gap: 1rem; }
.sample { padding: 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.sample h3 { margin: 0 0 0.5rem; font-size: 0.875rem; font-weight: 500; color: var(--quiet); }
.sample-parts { display: grid; grid-template-columns: 9rem 1fr; gap: 1.25rem; align-items: start; }
.sample img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--line); }
.sample .missing { margin: 0; padding: 2rem 0.5rem; }
.sample dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); gap: 1.25rem; min-width: 0; }
.sample dt { font-size: 0.8125rem; }
.sample dd { line-height: 1.8; }
.sample table { font-size: 0.8125rem; }
.sample th, .sample td { padding: 0.25rem 0.375rem; }
.sample details { margin-bottom: 0; }
.missing { padding: 3rem 1rem; text-align: center; color: var(--quiet); background: var(--ground); border-radius: 4px; }
.scene dl div { margin-top: 0.75rem; }
.scene dt { font-size: 0.8125rem; }
.scene table { font-size: 0.8125rem; }
.scene th, .scene td { padding: 0.25rem 0.375rem; }
@media (max-width: 60rem) {
  /* Intervals go below their figures, so that the last column, which says most, is in view. */
  td.number { white-space: normal; }
  th, td { padding: 0.5rem; }
  tbody th { min-width: 9rem; }
}
@media (max-width: 40rem) {
  header, main { padding-inline: 1rem; }
  .facts { grid-template-columns: 1fr; }
}
@page { size: A4; margin: 16mm 14mm 18mm; }
@media print {
  details:not([open]) { display: none; }
  body { font-size: 10pt; }
  header, main { max-width: none; padding: 0; }
  nav, .skip { display: none; }
  .scene, .sample, figure, .warning, .lead, tr { break-inside: avoid; }
  h2, h3, caption, thead { break-after: avoid; }
  tbody tr:first-child { break-before: avoid; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tiles strong { font-size: 1.375rem; }
  .scenes, .charts { grid-template-columns: 1fr 1fr; }
  .scroll { overflow: visible; }
  .word, .swatch, .area, .band, svg, .badge, .warning { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`)
