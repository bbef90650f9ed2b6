// One item at a time through the model: a file, a frame of the camera, a text; whatever its modality takes.

import { useEffect, useRef, useState } from "preact/hooks";
import { Bars, Field, Problem, html } from "../parts.js";
import { ask } from "../server.js";
import { percent } from "../words.js";

export function Try({ model }) {
  const [shown, setShown] = useState();
  const [result, setResult] = useState();
  const [error, setError] = useState();
  const [busy, setBusy] = useState(false);
  const latest = useRef(0);
  useEffect(() => () => shown && URL.revokeObjectURL(shown), [shown]);
  const send = async (kind, body, preview) => {
    const turn = ++latest.current;
    if (preview) setShown(preview);
    setBusy(true);
    setError(undefined);
    try {
      const found = await ask(`/api/models/${model.id}/try?kind=${kind}`, { method: "POST", body });
      if (turn === latest.current) setResult(found);
    } catch (refused) {
      if (turn === latest.current) {
        setResult(undefined);
        setError(refused);
      }
    }
    if (turn === latest.current) setBusy(false);
  };
  const ways = Object.keys(model.tried);
  if (!ways.length) return html`<p>This kind of model takes its items from the command line only: <code>headstart predict ${model.path} FILES</code></p>`;
  return html`<div class="two">
    <div>
      ${model.tried.file && html`<${Files} kind=${model.tried.file} onFile=${(file) => send("file", file, URL.createObjectURL(file))} />`}
      ${model.tried.camera && html`<${Camera} onFrame=${(blob) => send("camera", blob, URL.createObjectURL(blob))} />`}
      ${model.tried.text && html`<${Text} words=${model.tried.text} onText=${(text) => send("text", text)} onPair=${(texts) => send("pair", texts)} />`}
    </div>
    <section class="card answer" aria-live="polite"><h2>What it says</h2>
      ${shown && html`<img class="tried" src=${shown} alt="What you showed it" onError=${(event) => { event.target.hidden = true; }} />`}
      <${Problem} error=${error} />
      ${busy && !result && html`<p class="quiet">The first answer takes a moment: the model is loaded and checked.</p>`}
      ${!busy && !result && !error && html`<p class="quiet">Nothing was shown to it yet.</p>`}
      ${result && html`<${Answer} result=${result} />`}
    </section></div>`;
}

function Answer({ result }) {
  const { answer, best, target } = result;
  const words = answer.label ?? (answer.labels ? answer.labels.join(", ") || "no label" : answer.value);
  return html`<p class="said">${target && html`<span class="quiet">${target} </span>`}${words}</p>
    ${answer.low !== undefined && html`<p class="quiet">probably between ${answer.low} and ${answer.high}</p>`}
    ${result.unfamiliar && html`<p class="problem" role="status">This is unlike anything in the training data: strangeness
      ${result.strangeness.toFixed(2)}, where 1 is the line. Do not rely on the answer.</p>`}
    ${best.length > 0 && html`<${Bars} rows=${best} text=${percent} most=${1} />`}
    <p class="quiet figure">${(1000 * result.seconds).toFixed(0)} ms</p>`;
}

function Files({ kind, onFile }) {
  const input = useRef();
  const [over, setOver] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  };
  return html`<section class="card drop ${over ? "over" : ""}" aria-label="A file" onDrop=${drop}
      onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}>
    <h2>A file</h2><p class="quiet">Drop one here, or choose it.</p>
    <input type="file" accept=${kind} class="unseen" tabindex="-1" aria-hidden="true" ref=${input} onChange=${(event) => { if (event.target.files[0]) onFile(event.target.files[0]); event.target.value = ""; }} />
    <button type="button" onClick=${() => input.current.click()}>Choose a file</button></section>`;
}

function Camera({ onFrame }) {
  const video = useRef();
  const stream = useRef();
  const [on, setOn] = useState(false);
  const [live, setLive] = useState(false);
  const [error, setError] = useState();
  const stop = () => {
    stream.current?.getTracks().forEach((track) => track.stop());
    stream.current = undefined;
    setOn(false);
    setLive(false);
  };
  useEffect(() => stop, []);
  const start = async () => {
    setError(undefined);
    try {
      stream.current = await navigator.mediaDevices.getUserMedia({ video: { width: 640 } });
      setOn(true);
    } catch (refused) {
      const what = refused.name === "NotAllowedError" ? "The browser does not allow the camera" : "There is no camera that can be used";
      setError({ what, next: "Allow it for this page in the browser's settings, or try a file" });
    }
  };
  useEffect(() => {
    if (on && video.current) video.current.srcObject = stream.current;
  }, [on]);
  const take = () => new Promise((done) => {
    const { videoWidth: width, videoHeight: height } = video.current;
    if (!width) {
      done();
      return;
    }
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(video.current, 0, 0);
    canvas.toBlob(async (blob) => {
      await onFrame(blob);
      done();
    }, "image/png");
  });
  // One frame after the other: the next is taken when the last was answered.
  useEffect(() => {
    if (!live) return undefined;
    let over = false;
    (async () => {
      while (!over) {
        await take();
        await new Promise((done) => setTimeout(done, 300));
      }
    })();
    return () => {
      over = true;
    };
  }, [live]);
  return html`<section class="card" aria-label="The camera"><h2>The camera</h2>
    <${Problem} error=${error} />
    ${on
      ? html`<video ref=${video} autoplay playsinline muted aria-label="What the camera sees"></video>
        <div class="row"><button type="button" class="main" onClick=${take}>Try this frame</button>
          <label class="check"><input type="checkbox" checked=${live} onChange=${(event) => setLive(event.target.checked)} /> again and again</label>
          <button type="button" onClick=${stop}>Close the camera</button></div>`
      : html`<p class="quiet">Frames go to this machine's studio and nowhere else.</p><button type="button" onClick=${start}>Open the camera</button>`}
  </section>`;
}

// Of a pair the second text has a field of its own, which most models leave empty.
function Text({ words, onText, onPair }) {
  const [text, setText] = useState("");
  const [second, setSecond] = useState("");
  const enter = (event) => {
    event.preventDefault();
    if (second.trim()) onPair(JSON.stringify([text, second]));
    else onText(text);
  };
  return html`<section class="card" aria-label="A text"><h2>A text</h2><form onSubmit=${enter}>
    <${Field} label=${words}><textarea rows="5" dir="auto" value=${text} onInput=${(event) => setText(event.target.value)}></textarea><//>
    <details><summary>It belongs together with another text</summary>
      <${Field} label="The second text of the pair"><textarea rows="3" dir="auto" value=${second} onInput=${(event) => setSecond(event.target.value)}></textarea><//></details>
    <button type="submit" class="main" disabled=${!text.trim()}>Try this text</button></form></section>`;
}
