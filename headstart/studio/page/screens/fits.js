// All fits that were started here, the newest first.

import { Problem, State, Title, html } from "../parts.js";
import { useWatched } from "../server.js";
import { when } from "../words.js";

export function Fits() {
  const [jobs, away] = useWatched("/api/jobs", () => false, 2000);
  return html`<${Title}>Fits<//>
    <${Problem} error=${away} />
    ${jobs && !jobs.length && html`<p class="lead">No fit was started here yet. <a href="#/">Choose data</a> to begin.</p>`}
    ${jobs?.length > 0 && html`<ul class="list">${jobs.map((job) => html`<li key=${job.id}>
      <a href=${`#/fit/${job.id}`}><span class="name">${job.kind === "fit" ? job.title : `${job.kind}: ${job.title}`}</span>
        <span class="path quiet">${job.source}</span></a>
      <span class="side"><${State} state=${job.state} /> <span class="quiet">${when(job.created)}</span></span></li>`)}</ul>`}`;
}
