// A fit while it runs, and how it ended. Everything comes from files, so reloading or a second tab shows the same.

import { useState } from "preact/hooks";
import { Action, Bar, Evidence, Problem, State, Title, go, html } from "../parts.js";
import { ask, post, useWatched } from "../server.js";
import { duration, number, when } from "../words.js";

const ENDED = ["done", "failed", "stopped", "killed"];

export function Fit({ steps: [id] }) {
  const [job, away, again] = useWatched(`/api/jobs/${id}`, (found) => ENDED.includes(found.state));
  if (!job) return html`<${Title} above="Step 3 of 3">Fit<//><${Problem} error=${away} />`;
  const ended = ENDED.includes(job.state);
  const fit = job.fit || {};
  return html`<${Title} above="Step 3 of 3">Fit ${job.title}<//>
    <p class="lead"><${State} state=${job.state} /> <span class="path">${job.source}</span></p>
    <${Problem} error=${away} />
    ${!ended && html`<${Now} job=${job} />`}
    ${ended && html`<${Ending} job=${job} again=${again} />`}
    ${fit.data?.understood && html`<p class="quiet">${fit.data.understood}</p>`}
    <${Evidence} table=${fit.table} waiting=${ended ? [] : fit.plan} at=${atWork(job)} sealed=${fit.sealed} />
    <${Said} lines=${job.progress.lines} open=${!ended} />
    <details class="command"><summary>The same from a terminal</summary><pre>${command(job.said)}</pre></details>`;
}

const command = (words) => words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");

// The rung that the current task belongs to, by its name.
const atWork = (job) => (job.fit?.plan || []).find((each) => job.progress.task?.name?.includes(each.name))?.name;

function Now({ job }) {
  const task = job.progress.task;
  const now = Date.now() / 1000;
  const left = job.progress.ends ? job.progress.ends - now : 0;
  const own = task?.total && task.done ? ((now - task.began) * (task.total - task.done)) / task.done : 0;
  if (job.state === "waiting") {
    return html`<section class="card"><p>Waiting for its turn${job.ahead?.length ? `, behind ${job.ahead.join(", ")}` : ""}: fits run one after the other, so that each has the whole machine.</p>
      <${Stop} job=${job} /></section>`;
  }
  return html`<section class="card now" role="status">
    <div class="row spread"><p class="task">${task ? task.name : "Getting ready"}</p>
      <p class="quiet figure">${left > 1 ? `the whole job: about ${duration(left)} left` : job.started ? `running for ${duration(now - job.started)}` : ""}</p></div>
    <${Bar} done=${task?.done ?? 0} total=${task?.total} label=${task?.name ?? "Progress"} />
    <div class="row spread"><p class="quiet figure">${task?.total ? `${number(task.done)} of ${number(task.total)}${own > 2 ? `, ${duration(own)} left` : ""}` : " "}</p>
      <${Stop} job=${job} /></div>
    <p class="quiet">You may close this page: the fit goes on, and is found again under Fits.</p>
  </section>`;
}

function Stop({ job }) {
  if (job.state === "stopping") {
    return html`<div class="row"><span class="quiet">Saving what was computed …</span>
      <${Action} run=${() => post(`/api/jobs/${job.id}/stop`, { now: true })}>Stop at once<//></div>`;
  }
  return html`<div><${Action} run=${() => post(`/api/jobs/${job.id}/stop`)}>Stop<//></div>`;
}

function Ending({ job, again }) {
  const resume = async () => {
    await post(`/api/jobs/${job.id}/continue`);
    again();
  };
  const forget = async () => {
    await ask(`/api/jobs/${job.id}`, { method: "DELETE" });
    go("/fits");
  };
  const spent = job.ended && job.started ? `It took ${duration(job.ended - job.started)}, until ${when(job.ended)}.` : "";
  if (job.state === "done") {
    return html`<section class="card good"><h2>The model is ready</h2><p class="quiet">${spent} It lies in <span class="path">${job.output}</span>.</p>
      <div class="row"><a class="button main" href=${`#/model/${job.model}`}>Look at the result</a>
      <a class="button" href=${`#/model/${job.model}/try`}>Try it</a></div></section>`;
  }
  return html`<${Problem} error=${job.error || { what: "It ended" }}>
    <${Action} kind="main" run=${resume}>Continue<//>
    <${Action} run=${forget}>Forget this fit<//>
    <span class="quiet">${job.fit?.table?.rows.length ? "Continuing goes on from what was computed." : ""}</span><//>`;
}

function Said({ lines, open }) {
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.filter((line) => !line.minor);
  if (!lines.length) return null;
  return html`<details class="log" open=${open}><summary>What it said</summary>
    <label class="check"><input type="checkbox" checked=${all} onChange=${(event) => setAll(event.target.checked)} /> details too</label>
    <ol class="lines">${shown.slice(-60).map((line) => html`<li class=${line.minor ? "minor" : ""}>${line.text}</li>`)}</ol></details>`;
}
