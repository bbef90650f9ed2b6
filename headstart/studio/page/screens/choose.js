// Choosing data: by looking through folders, by typing a path, or by dropping a small set.

import { useEffect, useRef, useState } from "preact/hooks";
import { Action, Field, Problem, Title, go, html } from "../parts.js";
import { ask, post, useAnswer } from "../server.js";
import { count, number } from "../words.js";

export function Choose() {
  const [start, error] = useAnswer("/api/start");
  return html`<${Title} above="Step 1 of 3">Choose your data<//>
    <p class="lead">A folder with one subfolder for each label, or a table that names files and their labels.
      The data stay where they are, and nothing leaves this machine.</p>
    <${Problem} error=${error} />
    ${start && html`<div class="two">
      <${Browser} start=${start} />
      <div><${Drop} limit=${start.upload} /><${Example} /></div>
    </div>`}`;
}

const check = async (source) => {
  const job = await post("/api/checks", { source });
  go(`/check/${job.id}`);
};

function Browser({ start }) {
  const [at, setAt] = useState();
  const [typed, setTyped] = useState("");
  const [error, setError] = useState();
  const list = useRef();
  const asked = useRef(0);
  const edits = useRef(0);
  // A slow answer must neither take the place of a later one nor overwrite what was typed meanwhile.
  const open = async (path) => {
    asked.current += 1;
    const [mine, before] = [asked.current, edits.current];
    setError(undefined);
    try {
      const found = await post("/api/browse", { path });
      if (mine !== asked.current) return;
      setAt(found);
      if (before === edits.current) setTyped(found.path);
      list.current?.scrollTo(0, 0);
      sessionStorage.setItem("folder", found.path);
    } catch (refused) {
      if (mine !== asked.current) return;
      setError(refused);
      if (!at && path) open("");
    }
  };
  const type = (event) => {
    edits.current += 1;
    setTyped(event.target.value);
  };
  useEffect(() => void open(sessionStorage.getItem("folder") || ""), []);
  // What is typed may be a folder to look into, or a table to take: the server knows which.
  const enter = (event) => {
    event.preventDefault();
    if (/\.(csv|tsv|parquet|pq)$/i.test(typed.trim())) check(typed.trim()).catch(setError);
    else open(typed.trim());
  };
  return html`<section class="card browser" aria-label="Folders of this machine">
    <form onSubmit=${enter} class="row"><${Field} label="Path">
      <input type="text" value=${typed} spellcheck="false" autocomplete="off" onInput=${type} /><//>
      <button type="submit">Open</button></form>
    <${Problem} error=${error} />
    ${at && html`
      <nav class="way" aria-label="Folders above">${at.way.map((step, i) => html`
        ${i > 0 && html`<span aria-hidden="true">/</span>`}
        <button type="button" class="plain" onClick=${() => open(step.path)} aria-current=${i === at.way.length - 1 ? "location" : undefined}>${step.name}</button>`)}</nav>
      <ul class="files" ref=${list}>
        ${at.folders.map((each) => html`<li key=${each.path}><button type="button" class="plain" onClick=${() => open(each.path)}>
          <span class="icon" aria-hidden="true">${FOLDER}</span><span class="unseen">Folder </span>${each.name}</button></li>`)}
        ${at.tables.map((each) => html`<li key=${each.path}><button type="button" class="plain" onClick=${() => check(each.path).catch(setError)}>
          <span class="icon" aria-hidden="true">${TABLE}</span><span class="unseen">Table </span>${each.name}<span class="hint">use this table</span></button></li>`)}
        ${!at.folders.length && !at.tables.length && html`<li class="quiet">No folders and no tables in here.</li>`}
        ${at.more > 0 && html`<li class="quiet">and ${number(at.more)} more; type the path of one of them above</li>`}
      </ul>
      <div class="foot"><p class="quiet">${here(at)}</p>
        ${at.model
          ? html`<a class="button main" href=${`#/model/${at.model}`}>Open this model</a>`
          : html`<${Action} kind="main" run=${() => check(at.path)}>Use this folder<//>`}</div>`}
  </section>`;
}

function here(at) {
  const parts = [count(at.folders.length + at.more, "folder")];
  if (at.tables.length) parts.push(count(at.tables.length, "table"));
  if (at.files) parts.push(count(at.files, "other file"));
  return `${at.cut ? "More than " : ""}${parts.join(", ")} in this folder`;
}

const FOLDER = html`<svg viewBox="0 0 20 16" width="18" height="15"><path d="M1 3a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2z" /></svg>`;
const TABLE = html`<svg viewBox="0 0 20 16" width="18" height="15"><path fill-rule="evenodd" d="M1 1h18v14H1zm2 2v3h6V3zm8 0v3h6V3zM3 8v5h6V8zm8 0v5h6V8z" /></svg>`;

function Drop({ limit }) {
  const [over, setOver] = useState(false);
  const [error, setError] = useState();
  const [sent, setSent] = useState();
  const input = useRef();
  const take = async (collected) => {
    setError(undefined);
    try {
      const files = await collected;
      const size = files.reduce((sum, [, file]) => sum + file.size, 0);
      if (files.length > limit.files || size > limit.bytes) {
        throw Object.assign(new Error(), { parts: {
          what: `This is too much to be copied through the page: ${count(files.length, "file")}, ${(size / 1e6).toFixed(0)} MB`,
          expected: limit.words,
          next: "Choose the folder on the left or type its path instead: it is read where it lies, whatever its size",
        } });
      }
      if (!files.length) throw Object.assign(new Error(), { parts: { what: "There was no file in what was dropped" } });
      const { id } = await post("/api/uploads");
      for (let i = 0; i < files.length; i += 1) {
        setSent([i, files.length]);
        const [path, file] = files[i];
        await ask(`/api/uploads/${id}?path=${encodeURIComponent(path)}`, { method: "PUT", body: file });
      }
      const { source } = await post(`/api/uploads/${id}/done`);
      await check(source);
    } catch (found) {
      setError(found);
    }
    setSent(undefined);
  };
  const dropped = (event) => {
    event.preventDefault();
    setOver(false);
    take(entriesOf(event.dataTransfer));
  };
  return html`<section class="card drop ${over ? "over" : ""}" aria-label="Drop a small data set"
      onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${dropped}>
    <h2>Or drop a small set here</h2>
    <p class="quiet">It is copied into headstart's cache: ${limit.words}. Larger sets are read where they lie.</p>
    <input type="file" webkitdirectory multiple class="unseen" tabindex="-1" aria-hidden="true" ref=${input}
      onChange=${(event) => take(Promise.resolve([...event.target.files].filter((file) => !file.name.startsWith(".")).map((file) => [file.webkitRelativePath || file.name, file])))} />
    ${sent
      ? html`<p role="status">Copying ${number(sent[0] + 1)} of ${number(sent[1])}</p><progress max=${sent[1]} value=${sent[0]}></progress>`
      : html`<button type="button" onClick=${() => input.current.click()}>Choose a folder to copy</button>`}
    <${Problem} error=${error} />
  </section>`;
}

// Everything below what was dropped, as [path, file]; hidden files are left behind.
async function entriesOf(transfer) {
  const found = [];
  const walk = async (entry) => {
    if (entry.name.startsWith(".")) return;
    if (entry.isFile) {
      found.push([entry.fullPath.replace(/^\//, ""), await new Promise((good, bad) => entry.file(good, bad))]);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((good, bad) => reader.readEntries(good, bad));
      if (!some.length) return;
      for (const each of some) await walk(each);
    }
  };
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  for (const entry of entries) await walk(entry);
  return found;
}

const Example = () => html`<section class="card"><h2>What it should look like</h2>
  <pre class="tree">photos/
├─ daisy/   one.jpg, two.jpg, …
├─ rose/    three.jpg, …
└─ tulip/   …</pre>
  <p class="quiet">Folders called train, val and test inside are taken as such. A table has a column of paths and one of
    labels: classes, several labels a row, or numbers.</p></section>`;
