// The check: how the data were understood, what was found, a few of them to look at; then the few choices, and fit.

import { useEffect, useState } from "preact/hooks";
import { Action, Bar, Bars, Choice, Field, Problem, State, Title, Words, go, html } from "../parts.js";
import { post, useAnswer, useWatched } from "../server.js";
import { count, number } from "../words.js";

const ENDED = ["done", "failed", "stopped", "killed"];
const SEVERITY = { serious: "Serious", warning: "Warning", info: "Note" };

export function Check({ steps: [id] }) {
  const [job, away] = useWatched(`/api/jobs/${id}`, (found) => ENDED.includes(found.state), 500);
  const ended = job && ENDED.includes(job.state);
  const [more, missing] = useAnswer(ended && `/api/checks/${id}/more`);
  return html`<${Title} above="Step 2 of 3">Check ${job?.title ?? ""}<//>
    ${job && html`<p class="path lead">${job.source}</p>`}
    <${Problem} error=${away} />
    ${job && !ended && html`<${Looking} job=${job} />`}
    ${ended && html`<div class="two wide-left">
      <div>
        <${Problem} error=${job.error} />
        ${job.found && html`<${Understood} found=${job.found} />
          <${Findings} found=${job.found.findings} />
          <${Samples} id=${id} modality=${job.found.modality} />`}
      </div>
      <aside>${more && html`<${Options} job=${job} more=${more} />`}<${Problem} error=${missing} /></aside>
    </div>`}`;
}

function Looking({ job }) {
  const task = job.progress.task;
  return html`<section class="card" aria-live="polite">
    <p>${task ? task.name : "Opening the data"} …</p>
    <${Bar} done=${task?.done ?? 0} total=${task?.total} label="Items looked at" />
    <p class="quiet">${task?.total ? `${number(task.done)} of ${number(task.total)}` : "Every item is opened once; nothing is written."}</p>
    <${Action} run=${async () => { await post(`/api/jobs/${job.id}/stop`, { now: true }); go("/"); }}>Cancel<//>
  </section>`;
}

function Understood({ found }) {
  const parts = Object.entries(found.parts || {}).filter(([, size]) => size);
  const names = { train: "to train", val: "to validate", test: "to test" };
  return html`<section class="card"><h2>How it was understood</h2>
    <p>${found.understood}</p>
    <dl class="facts">
      <div><dt>${found.modality}</dt><dd>${number(found.items)}</dd></div>
      ${found.classes.length > 0 && html`<div><dt>labels</dt><dd>${number(found.classes.length)}</dd></div>`}
      ${parts.map(([name, size]) => html`<div><dt>${names[name] || name}</dt><dd>${number(size)}</dd></div>`)}
    </dl>
    ${found.cross_validated && html`<p class="quiet">So few that five folds take turns in place of one validation part.</p>`}
    ${(found.notes || []).length > 0 && html`<ul class="notes">${found.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
    ${found.classes.length > 0 && html`<details open=${found.classes.length <= 12}><summary>Items of each label</summary>
      <${Bars} rows=${found.classes.slice(0, 100)} />
      ${found.classes.length > 100 && html`<p class="quiet">and ${number(found.classes.length - 100)} more</p>`}</details>`}
  </section>`;
}

function Findings({ found }) {
  if (!found.length) return html`<section class="card good"><h2>Findings</h2><p>Nothing was found that needs attention.</p></section>`;
  return html`<section class="card"><h2>${count(found.length, "finding")}</h2>
    <ul class="findings">${found.map((each) => html`<li key=${each.name} class=${each.severity}>
      <p><span class="severity">${SEVERITY[each.severity] || each.severity}</span> ${each.sentence}</p>
      ${each.next_move && html`<p class="quiet">Next: ${each.next_move}</p>`}
      ${each.names.length > 0 && html`<details><summary>${count(each.names.length + each.more, "item")}</summary>
        <ul class="names">${each.names.map((name) => html`<li class="path">${name}</li>`)}</ul>
        ${each.more > 0 && html`<p class="quiet">and ${number(each.more)} more</p>`}</details>`}</li>`)}</ul></section>`;
}

function Samples({ id, modality }) {
  const [labels, error] = useAnswer(`/api/checks/${id}/samples`);
  if (error) return html`<${Problem} error=${error} />`;
  if (!labels) return html`<section class="card"><h2>A few of them</h2><p class="quiet">Choosing some …</p></section>`;
  const groups = new Map();
  labels.forEach(({ label }, i) => groups.set(label, [...(groups.get(label) || []), i]));
  return html`<section class="card"><h2>A few of the ${modality}</h2>
    <div class=${labels.some((each) => each.words) ? "samples written" : "samples"}>${[...groups].map(([label, places]) => html`<figure key=${label}>
      <div class="strip">${places.map((i) => labels[i].words ? html`<${Words} key=${i} words=${labels[i].words} />` : html`<${Sample} key=${i} source=${`/api/checks/${id}/samples/${i}`} label=${label} />`)}</div>
      <figcaption title=${label}>${label}</figcaption></figure>`)}</div></section>`;
}

function Sample({ source, label }) {
  const [broken, setBroken] = useState(false);
  if (broken) return html`<span class="broken" title="This one cannot be shown">?</span>`;
  return html`<img src=${source} alt=${`labelled ${label}`} loading="lazy" width="72" height="72" onError=${() => setBroken(true)} />`;
}

function Options({ job, more }) {
  const [choices, missing] = useAnswer("/api/choices");
  const [networks] = useAnswer("/api/backbones");
  const [given, setGiven] = useState({ budget: "", strategy: "", backbone: "", task: "", metric: "", seed: job.seed ?? 0, pictures: true });
  const [columns, setColumns] = useState(job.columns || {});
  const [task, setTask] = useState(job.task || "auto");
  const [output, setOutput] = useState(more.output);
  useEffect(() => setOutput(more.output), [more.output]);
  const set = (name) => (value) => setGiven({ ...given, [name]: value });
  const asked = JSON.stringify([columns, task]) !== JSON.stringify([job.columns || {}, job.task || "auto"]);
  const again = async () => {
    const found = await post("/api/checks", { source: job.source, columns, task, seed: Number(given.seed) || 0 });
    go(`/check/${found.id}`);
  };
  const fit = async () => {
    const options = { ...given, seed: Number(given.seed) || 0, task: task === "auto" ? "" : task };
    const found = await post("/api/fits", { source: job.source, output, columns, options });
    go(`/fit/${found.id}`);
  };
  if (!choices) return html`<${Problem} error=${missing} />`;
  const able = job.state === "done";
  const refused = able && !Object.keys(job.found.parts || {}).length;
  const backbones = [{ name: "", words: "auto", summary: "The best of those on this machine for these data." },
    ...(networks || []).map((each) => ({ name: each.name, summary: `Pretrained on ${each.source}; ${each.licence}.` }))];
  return html`<section class="card options" aria-label="Options">
    <h2>${able ? "Fit" : "Try again"}</h2>
    ${more.columns.length > 0 && html`<${Columns} names=${more.columns} columns=${columns} onChange=${setColumns} />`}
    ${able && html`<${Choice} label="Time" value=${given.budget || choices.budget} onChange=${set("budget")} hint="For everything together; a longer time lets more candidates be measured."
      options=${choices.budgets.map((each) => ({ name: each.name, words: each.summary, summary: "" }))} />
    <${Field} label="Model goes to" hint="A new folder."><input type="text" value=${output} spellcheck="false" onInput=${(event) => setOutput(event.target.value)} /><//>`}
    <details><summary>More choices</summary>
      <${Choice} label="Task" value=${task} onChange=${setTask} options=${choices.tasks} />
      ${able && html`<${Choice} label="Strategy" value=${given.strategy || "auto"} onChange=${set("strategy")} options=${choices.strategies} />
      <${Choice} label="Backbone" value=${given.backbone} onChange=${set("backbone")} options=${backbones} />`}
      <${Field} label="Seed" hint="Of the split and of everything random."><input type="number" min="0" step="1" value=${given.seed} onInput=${(event) => set("seed")(event.target.value)} /><//>
      ${able && html`<label class="check"><input type="checkbox" checked=${given.pictures} onChange=${(event) => set("pictures")(event.target.checked)} /> Keep small copies of some items in the model's folder, for its report</label>`}
    </details>
    ${asked || !able
      ? html`<${Action} kind="main" run=${again} disabled=${!asked && !able && !more.columns.length}>Check again with this<//>`
      : html`<${Action} kind="main" run=${fit} busy="Starting …" disabled=${refused}>Fit<//>`}
    ${refused && html`<p class="quiet">As they are, fit would refuse these data: the findings say why.</p>`}
    <p class="quiet"><a href="#/">Choose other data</a></p>
  </section>`;
}

function Columns({ names, columns, onChange }) {
  const pick = (name) => (value) => {
    const next = { ...columns, [name]: value };
    if (!value) delete next[name];
    onChange(next);
  };
  const options = [{ name: "", words: "found by itself", summary: "" }, ...names.map((name) => ({ name, summary: "" }))];
  return html`<div class="columns">
    <${Choice} label="Label column" value=${columns.label || ""} options=${options} onChange=${pick("label")} hint="" />
    <${Choice} label="Path column" value=${columns.path || ""} options=${options} onChange=${pick("path")} hint="" />
    <${Choice} label="Text column" value=${columns.text || ""} options=${options} onChange=${pick("text")} hint="" />
    <${Choice} label="Group column" value=${columns.group || ""} options=${[{ name: "", words: "none", summary: "" }, ...options.slice(1)]} onChange=${pick("group")}
      hint="Rows with the same value, of one patient for instance, stay on one side of every split." /></div>`;
}
