// One sealed model: what it came to, its report, trying it, correcting labels, taking it elsewhere.

import { Action, Evidence, Problem, Title, html } from "../parts.js";
import { post, useAnswer } from "../server.js";
import { number, when } from "../words.js";
import { Export } from "./export.js";
import { Labels } from "./labels.js";
import { Try } from "./try.js";

const TABS = [["", "Result"], ["report", "Report"], ["try", "Try it"], ["labels", "Labels"], ["export", "Take it along"]];

export function Model({ steps: [id, tab = ""] }) {
  const [model, error, again] = useAnswer(`/api/models/${id}`);
  return html`<${Title} above=${html`<a href="#/models">Models</a>`}>${model?.name ?? "Model"}<//>
    <${Problem} error=${error} />
    ${model && html`
      <p class="lead path">${model.path}</p>
      <nav class="tabs" aria-label="Model">${TABS.map(([name, words]) => html`<a href=${`#/model/${id}${name && `/${name}`}`} aria-current=${tab === name ? "page" : undefined}>${words}</a>`)}</nav>
      ${tab === "" && html`<${Result} model=${model} />`}
      ${tab === "report" && html`<${Report} model=${model} again=${again} />`}
      ${tab === "try" && html`<${Try} model=${model} />`}
      ${tab === "labels" && html`<${Labels} model=${model} />`}
      ${tab === "export" && html`<${Export} model=${model} />`}`}`;
}

function Result({ model }) {
  return html`
    ${model.verdict && html`<section class="verdict"><p>${model.verdict}</p></section>`}
    <dl class="facts"><div><dt>made</dt><dd>${when(model.when)}</dd></div><div><dt>sealed</dt><dd>${model.candidate}</dd></div>
      <div><dt>backbone</dt><dd>${model.backbone || "none"}</dd></div>
      ${model.licence && html`<div><dt>licence of its weights</dt><dd>${model.licence}</dd></div>`}
      <div><dt>data</dt><dd>${number(model.items)} ${model.about}</dd></div></dl>
    <${Tests} tests=${model.tests} />
    <h2>How it was chosen</h2>
    <${Evidence} table=${model.table} sealed=${model.candidate} />
    ${model.findings.length > 0 && html`<h2>What was noticed in the data</h2><ul class="notes">${model.findings.map((each) => html`<li>${each}</li>`)}</ul>`}`;
}

function Tests({ tests }) {
  if (!tests.rows.length) return null;
  return html`<h2>${tests.tested ? "On the test part, which trained and chose nothing" : "Cross-validated, for want of items for a test part"}</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Test scores"><table>
      <thead><tr><th scope="col">Model</th>${tests.heads.map((head) => html`<th scope="col" class="figure">${head}</th>`)}</tr></thead>
      <tbody>${tests.rows.map((row) => html`<tr class=${row.sealed ? "best" : ""}><th scope="row">${row.name}${row.sealed && html` <span class="tag">sealed</span>`}<span class="note">${row.role}</span></th>
        ${row.scores.map((score) => html`<td class="figure">${score || "–"}</td>`)}</tr>`)}</tbody></table></div>`;
}

function Report({ model, again }) {
  const source = `/report/${model.id}`;
  if (!model.report) {
    const make = async () => {
      await post(`/api/models/${model.id}/report`);
      again();
    };
    return html`<section class="card"><h2>There is no report yet</h2><p>It is one page with everything that the run can show.</p>
      <${Action} kind="main" run=${make} busy="Writing …">Make the report<//></section>`;
  }
  return html`<p><a href=${source} target="_blank" rel="noopener">Open in a tab of its own</a> to print or save it.</p>
    <iframe class="report" src=${source} sandbox="allow-scripts allow-modals" title=${`Report of ${model.name}`}></iframe>`;
}
