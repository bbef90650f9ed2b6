// The frame around the screens: which one is shown follows from the address, so reloading and going back just work.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html } from "./parts.js";
import { Check } from "./screens/check.js";
import { Choose } from "./screens/choose.js";
import { Compare } from "./screens/compare.js";
import { Fit } from "./screens/fit.js";
import { Fits } from "./screens/fits.js";
import { Model } from "./screens/model.js";
import { Models } from "./screens/models.js";

const SCREENS = { "": Choose, check: Check, fit: Fit, fits: Fits, models: Models, model: Model, compare: Compare };
const WAYS = [["", "New fit", ["", "check"]], ["fits", "Fits", ["fits", "fit"]], ["models", "Models", ["models", "model", "compare"]]];

function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [screen = "", ...steps] = path.split("/");
  return { screen, steps, words: new URLSearchParams(query) };
}

function App() {
  const [at, setAt] = useState(place);
  useEffect(() => {
    const move = () => {
      setAt(place());
      scrollTo(0, 0);
    };
    addEventListener("hashchange", move);
    return () => removeEventListener("hashchange", move);
  }, []);
  const Screen = SCREENS[at.screen] || Choose;
  const skip = (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>To the content</a>
    <header class="top"><a class="brand" href="#/"><svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true"><rect width="32" height="32" rx="7" /><path d="M8 24V8h4v6h8V8h4v16h-4v-6h-8v6z" /></svg>
      headstart <span>studio</span></a>
      <nav aria-label="Studio">${WAYS.map(([way, words, own]) => html`<a href=${`#/${way}`} aria-current=${own.includes(at.screen) ? "page" : undefined}>${words}</a>`)}</nav>
    </header>
    <main id="main" tabindex="-1"><${Screen} key=${`${at.screen}/${at.steps[0] ?? ""}`} ...${at} /></main>`;
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
