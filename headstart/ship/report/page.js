"use strict";
// What the page does beyond lying there: charts (Observable Plot), the confusion matrix, maps, the colour scheme.
// Nothing of the data is ever HTML here: text goes through textContent, and the policy of the page runs no other code.
(() => {
  const { draw, pictures } = JSON.parse(document.getElementById("report-data").textContent);
  const SYMBOLS = ["circle", "triangle", "square", "diamond", "cross", "wye"];
  const COLOURS = ["one", "two", "three", "four", "five", "six"];
  const KINDS = { transfer: "circle", scratch: "triangle", baseline: "square" };
  const HINT = "Point at a dot, or focus the chart and use the arrow keys.";

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  function colour(name) {
    return `var(--${name})`;
  }

  // Charts

  function axis(scale) {
    const options = { label: scale.label };
    if (scale.log) {
      options.type = "log";
      options.ticks = [0.001, 0.01, 0.1, 1, 10, 100, 1000, 10000, 100000];
      options.tickFormat = (value) => value.toLocaleString("en");
    }
    return options;
  }

  function ends(scale, values) {
    const finite = values.filter(Number.isFinite);
    const low = scale.low ?? Math.min(...finite);
    const high = scale.high ?? Math.max(...finite);
    if (!(low < high)) return [low - 0.5, high + 0.5];
    if (scale.log || scale.whole) return [low, high];
    const nice = d3.scaleLinear().domain([low, high]).nice().domain();
    return [scale.low ?? nice[0], scale.high ?? nice[1]];
  }

  function wholeTicks([low, high], width) {
    const step = Math.max(1, Math.ceil((high - low) / Math.max(2, width / 50)));
    const ticks = [];
    for (let tick = Math.ceil(low); tick <= high; tick += step) ticks.push(tick);
    return ticks;
  }

  function marksOf(series) {
    const stroke = colour(series.colour);
    const points = series.points;
    const dash = series.dashed ? "5 4" : undefined;
    const quiet = series.faint ? 0.35 : 1;
    if (series.mark === "rule") {
      return points.slice(0, 1).map((point) => Plot.ruleY([point.y], { stroke, strokeDasharray: dash, strokeWidth: 1.5 }));
    }
    if (series.mark === "bar") {
      return [Plot.rectY(points, { x1: "x", x2: "wide", y: "y", fill: stroke, fillOpacity: 0.75, inset: 0.5 })];
    }
    const marks = [];
    const open = points.filter((point) => point.low !== null && point.high !== null);
    if (series.mark === "line") {
      if (open.length > 1) {
        marks.push(Plot.areaY(open, { x: "x", y1: "low", y2: "high", fill: stroke, fillOpacity: 0.13 }));
      }
      marks.push(Plot.line(points, { x: "x", y: "y", stroke, strokeDasharray: dash, strokeWidth: series.faint ? 1 : 2, strokeOpacity: quiet }));
    } else if (open.length) {
      marks.push(Plot.ruleX(open, { x: "x", y1: "low", y2: "high", stroke, strokeWidth: 1.5 }));
    }
    if (points.length <= 40 && !series.faint) {
      const symbol = KINDS[series.colour] ?? SYMBOLS[COLOURS.indexOf(series.colour)] ?? "circle";
      marks.push(Plot.dot(points, { x: "x", y: "y", fill: stroke, r: 3.5, symbol }));
    }
    return marks;
  }

  function told(point, spec, series) {
    const value = `${spec.y.label}: ${Number(point.y.toPrecision(4)).toLocaleString("en")}`;
    return point.text ? `${point.text}` : `${series.name}\n${value}`;
  }

  function chart(spec, width) {
    const all = spec.series.flatMap((series) => series.points.map((point) => ({ ...point, title: told(point, spec, series), mark: series.mark })));
    const xs = ends(spec.x, all.filter((p) => p.mark !== "rule").flatMap((p) => [p.x, p.wide ?? p.x]));
    const ys = ends(spec.y, all.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]));
    const x = { ...axis(spec.x), domain: xs };
    const y = { ...axis(spec.y), domain: ys, grid: true };
    if (spec.x.whole) {
      x.ticks = wholeTicks(xs, width);
      x.tickFormat = "d";
    }
    const marks = [];
    if (spec.diagonal) {
      const [low, high] = [Math.max(xs[0], ys[0]), Math.min(xs[1], ys[1])];
      marks.push(Plot.line([[low, low], [high, high]], { stroke: colour("baseline"), strokeDasharray: "5 4" }));
    }
    spec.series.forEach((series) => marks.push(...marksOf(series)));
    marks.push(Plot.tip(all, Plot.pointer({ x: (p) => (p.wide === null ? p.x : (p.x + p.wide) / 2), y: "y", title: "title", maxRadius: 30 })));
    return plotted(spec, { width, height: Math.min(spec.height, Math.max(220, width * 0.75)), x, y, marks, marginLeft: 46, marginBottom: 38, marginTop: 26, marginRight: 14 });
  }

  function plotted(spec, options) {
    const made = Plot.plot({ ...options, style: { fontFamily: "inherit", fontSize: "12px", background: "none", overflow: "visible" } });
    // Plot brings a style element, which the page's policy refuses; page.css has what is needed of it.
    made.querySelectorAll("style").forEach((style) => style.remove());
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", spec.alt);
    return made;
  }

  function fitted(place, make) {
    let last = 0;
    const again = () => {
      const width = Math.floor(place.clientWidth);
      if (width < 40 || width === last) return;
      last = width;
      make(width);
    };
    new ResizeObserver(() => requestAnimationFrame(again)).observe(place);
    again();
  }

  for (const place of document.querySelectorAll("[data-draw]")) {
    const spec = draw[place.dataset.draw];
    fitted(place, (width) => place.replaceChildren(chart(spec, width)));
  }

  // Items

  function picture(name, alt) {
    const shown = pictures[name];
    if (shown && shown.texts) return element("div", { class: "excerpt" }, ...shown.texts.map(words));
    return shown ? element("img", { src: shown, alt }) : element("span", { class: "nopicture", "aria-hidden": "true" });
  }

  // Words of an item: the first of them, and the others when asked for. Each text has a direction of its own.
  function words(text) {
    const runs = (some) => some.map(([said, mark]) => (mark ? element("mark", { class: `m${mark}` }, said) : said));
    const whole = element("p", { dir: "auto" }, ...runs(text.whole));
    if (!text.brief.length) {
      if (text.left) whole.append("…");
      return whole;
    }
    const more = text.left ? element("p", { class: "quiet" }, `and ${text.left.toLocaleString("en")} more characters`) : null;
    const brief = element("span", { class: "brief", dir: "auto" }, ...runs(text.brief));
    return element("details", {}, element("summary", {}, brief, element("span", { class: "less" }, "Less")), whole, more);
  }

  function card(one) {
    const lines = one.lines.map((line, place) => element("p", { class: place === 0 ? "loud" : null }, line));
    const shown = one.pictures.map(([name, alt]) => picture(name, alt));
    const held = shown.length ? element("div", { class: "pictures" }, ...shown) : null;
    return element("li", { class: "card" }, held, ...lines, one.where ? element("p", { class: "where" }, one.where) : null);
  }

  // The confusion matrix

  function level(share) {
    return share > 0.5 ? 3 : share > 0.15 ? 2 : 1;
  }

  function matrix(place, spec) {
    const pairs = new Map(spec.pairs.map((pair) => [`${pair.row},${pair.column}`, pair]));
    const region = element("div", { class: "shown", "aria-live": "polite", tabindex: "-1" });
    const buttons = [];
    let chosen = null;

    function show(pair, button) {
      if (chosen) chosen.setAttribute("aria-pressed", "false");
      chosen = button;
      button.setAttribute("aria-pressed", "true");
      const [truth, said] = [spec.names[pair.row], spec.names[pair.column]];
      const what = pair.row === pair.column ? `${truth}, rightly predicted` : `${truth}, predicted ${said}`;
      const items = pair.count === 1 ? "1 item" : `${pair.count.toLocaleString("en")} items`;
      const some = pair.cards.length < pair.count && pair.cards.length ? `, ${pair.cards.length} of them here` : "";
      const list = element("ul", { class: "gallery" }, ...pair.cards.map(card));
      const none = pair.cards.length ? null : element("p", { class: "quiet" }, "Which items these are was not kept.");
      region.replaceChildren(element("h3", {}, `${what}: ${items}${some}`), list, none ?? "");
    }

    function button(pair, text, label, style) {
      const made = element("button", { type: "button", class: style, "aria-pressed": "false", "aria-label": label }, text);
      made.addEventListener("click", () => show(pair, made));
      return made;
    }

    function cell(row, column) {
      const pair = pairs.get(`${row},${column}`);
      if (!pair) return element("td", { class: "none" }, element("span", { class: "unseen" }, "0"));
      const share = pair.count / Math.max(1, spec.totals[row]);
      const style = `${row === column ? "hit" : "miss"}${row === column ? level(share) : level(3 * share)}`;
      const label = `true ${spec.names[row]}, predicted ${spec.names[column]}: ${pair.count}`;
      const made = button(pair, pair.count.toLocaleString("en"), label, style);
      made.tabIndex = -1;
      buttons.push({ made, row: spec.shown.indexOf(row), column: spec.shown.indexOf(column) });
      return element("td", {}, made);
    }

    const tall = spec.shown.some((column) => spec.names[column].length > 4);
    const heads = spec.shown.map((column) => element("th", { scope: "col", class: tall ? "tall" : null, title: spec.names[column] }, spec.names[column]));
    const rows = spec.shown.map((row) => element("tr", {}, element("th", { scope: "row", title: spec.names[row] }, spec.names[row]), ...spec.shown.map((column) => cell(row, column))));
    const table = element("table", {}, element("caption", { class: "unseen" }, "Confusion counts; rows are true classes, columns predicted ones"),
      element("thead", {}, element("tr", {}, element("td", { class: "axis" }, "true \\ predicted"), ...heads)), element("tbody", {}, ...rows));
    if (buttons.length) buttons[0].made.tabIndex = 0;
    table.addEventListener("keydown", (event) => step(event, buttons));
    const left = element("div", { class: "scroll" }, table);
    if (spec.names.length > spec.shown.length) {
      const some = element("h3", {}, `The ${spec.shown.length} classes that most mistakes have to do with`);
      place.replaceChildren(element("div", { class: "layout list" }, worst(spec, button), region), some, left);
    } else {
      place.replaceChildren(element("div", { class: "layout" }, left, region));
    }
    const first = spec.pairs.find((pair) => pair.row !== pair.column && pair.cards.length) ?? spec.pairs.find((pair) => pair.cards.length) ?? spec.pairs[0];
    const there = first && [...place.querySelectorAll("button")].find((each) => each.getAttribute("aria-label").startsWith(`true ${spec.names[first.row]}, predicted ${spec.names[first.column]}:`));
    if (there) show(first, there);
  }

  function worst(spec, button) {
    const mistakes = spec.pairs.filter((pair) => pair.row !== pair.column).slice(0, 60);
    const items = mistakes.map((pair) => {
      const text = `${spec.names[pair.row]} → ${spec.names[pair.column]}: ${pair.count}`;
      const label = `true ${spec.names[pair.row]}, predicted ${spec.names[pair.column]}: ${pair.count}`;
      return element("li", {}, button(pair, text, label, ""));
    });
    return element("div", {}, element("h3", {}, "Most often confused"), element("ol", { class: "pairs" }, ...items));
  }

  function step(event, buttons) {
    const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    const move = moves[event.key];
    const here = buttons.find((each) => each.made === document.activeElement);
    if (!here || (!move && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    let next = event.key === "Home" ? buttons[0] : buttons[buttons.length - 1];
    if (move) {
      // The nearest filled cell that way: empty cells have nothing to stop at.
      const ahead = buttons.filter((each) => (each.row - here.row) * move[0] + (each.column - here.column) * move[1] > 0);
      const far = (each) => Math.abs(each.row - here.row) * (move[0] ? 1 : 100) + Math.abs(each.column - here.column) * (move[1] ? 1 : 100);
      next = ahead.sort((a, b) => far(a) - far(b))[0];
    }
    if (!next) return;
    here.made.tabIndex = -1;
    next.made.tabIndex = 0;
    next.made.focus();
  }

  for (const place of document.querySelectorAll("[data-matrix]")) matrix(place, draw[place.dataset.matrix]);

  // Maps

  function look(group) {
    return { colour: COLOURS[group % COLOURS.length], symbol: SYMBOLS[Math.floor(group / COLOURS.length + group) % SYMBOLS.length] };
  }

  function map(place, spec) {
    const region = element("div", { class: "shown", "aria-live": "polite" }, element("p", { class: "quiet hint" }, HINT));
    const plots = element("div", { class: spec.views.length > 1 ? "plots two" : "plots" });
    const drawings = spec.views.map((view, number) => {
      const drawing = element("div", { class: "drawing", tabindex: "0", role: "group", "aria-label": `${view || spec.title}: ${HINT}` });
      plots.append(element("div", {}, view ? element("h3", {}, view) : null, drawing));
      return { drawing, number };
    });
    let current = -1;
    let only = null;
    const visible = (dot) => only === null || dot.group === only;

    function show(number) {
      current = number;
      const dot = spec.dots[number];
      const lines = dot.lines.map((line, at) => element("p", { class: at === 0 ? "loud" : "where" }, line));
      region.replaceChildren(element("div", { class: "one" }, dot.picture ? picture(dot.picture, dot.alt) : null, element("div", {}, ...lines)));
      drawings.forEach(({ drawing }) => ring(drawing, number));
    }

    function ring(drawing, number) {
      const svg = drawing.querySelector("svg");
      if (!svg) return;
      svg.querySelectorAll(".ring").forEach((old) => old.remove());
      if (number < 0) return;
      const [x, y] = drawing.places[number];
      const made = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      for (const [key, value] of Object.entries({ class: "ring", cx: x, cy: y, r: 8, fill: "none", stroke: "currentColor", "stroke-width": 2 })) made.setAttribute(key, value);
      svg.append(made);
    }

    function paint({ drawing, number }, width) {
      const rows = spec.dots.map((dot, index) => ({ x: dot.at[number][0], y: dot.at[number][1], ...look(dot.group), group: dot.group, index, faded: !visible(dot) }));
      const options = { width, height: spec.x ? Math.min(420, width * 0.8) : Math.min(460, width), marginLeft: spec.x ? 52 : 8, marginRight: 12, marginTop: 22, marginBottom: spec.x ? 38 : 8 };
      const marks = [];
      const x = spec.x ? { ...axis(spec.x), grid: true } : { axis: null };
      const y = spec.y ? { ...axis(spec.y), grid: true } : { axis: null };
      if (spec.diagonal) {
        const [low, high] = ends({}, rows.flatMap((row) => [row.x, row.y]));
        marks.push(Plot.line([[low, low], [high, high]], { stroke: colour("baseline"), strokeDasharray: "5 4" }));
      }
      const dots = { x: "x", y: "y", symbol: (row) => row.symbol, r: 3.5, fill: (row) => colour(row.colour) };
      marks.push(Plot.dot(rows.filter((row) => row.faded), { ...dots, fillOpacity: 0.12 }), Plot.dot(rows.filter((row) => !row.faded), { ...dots, fillOpacity: 0.8 }));
      const made = plotted(spec, { ...options, x, y, marks, symbol: { type: "identity" }, color: { type: "identity" } });
      const [sx, sy] = [made.scale("x"), made.scale("y")];
      drawing.places = rows.map((row) => [sx.apply(row.x), sy.apply(row.y)]);
      drawing.replaceChildren(made);
      if (current >= 0) ring(drawing, current);
    }

    function nearest(drawing, x, y) {
      let best = -1;
      let least = 28 * 28;
      drawing.places.forEach(([px, py], index) => {
        const far = (px - x) ** 2 + (py - y) ** 2;
        if (far < least && visible(spec.dots[index])) [best, least] = [index, far];
      });
      return best;
    }

    function walk(event, { drawing }) {
      const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      const able = spec.dots.map((_, index) => index).filter((index) => visible(spec.dots[index]));
      if (!able.length) return;
      if (current < 0 || !able.includes(current)) return show(able[0]);
      const [x, y] = drawing.places[current];
      const cost = (index) => {
        const [dx, dy] = [drawing.places[index][0] - x, drawing.places[index][1] - y];
        const along = dx * move[0] + dy * move[1];
        const across = Math.abs(dx * move[1]) + Math.abs(dy * move[0]);
        return along > 0 || (along === 0 && across === 0 && index > current) ? along + 2 * across : Infinity;
      };
      const next = able.filter((index) => index !== current).sort((a, b) => cost(a) - cost(b))[0];
      if (next !== undefined && cost(next) < Infinity) show(next);
    }

    drawings.forEach((one) => {
      const { drawing } = one;
      drawing.addEventListener("pointermove", (event) => point(event, drawing));
      drawing.addEventListener("pointerdown", (event) => point(event, drawing));
      drawing.addEventListener("keydown", (event) => walk(event, one));
    });

    function point(event, drawing) {
      const svg = drawing.querySelector("svg");
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const found = nearest(drawing, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
      if (found >= 0 && found !== current) show(found);
    }

    const groups = element("ul", { class: "groups" }, ...(spec.groups.length > 1 ? spec.groups.map(chip) : []));
    place.replaceChildren(groups, plots, region);
    drawings.forEach((one) => fitted(one.drawing, (width) => paint(one, width)));

    function chip(name, group) {
      const sign = element("span", { "aria-hidden": "true", class: `c-${look(group).colour}` });
      sign.append(symbol(look(group).symbol));
      const made = element("button", { type: "button", "aria-pressed": "false" }, sign, name);
      made.addEventListener("click", () => {
        only = only === group ? null : group;
        [...groups.querySelectorAll("button")].forEach((each, at) => each.setAttribute("aria-pressed", String(at === only)));
        drawings.forEach((one) => one.drawing.clientWidth && paint(one, Math.floor(one.drawing.clientWidth)));
      });
      return element("li", {}, made);
    }
  }

  function symbol(name) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [key, value] of Object.entries({ width: 12, height: 12, viewBox: "-6 -6 12 12" })) svg.setAttribute(key, value);
    const path = document.createElementNS(space, "path");
    const kinds = { circle: d3.symbolCircle, triangle: d3.symbolTriangle, square: d3.symbolSquare, diamond: d3.symbolDiamond, cross: d3.symbolCross, wye: d3.symbolWye };
    path.setAttribute("d", d3.symbol(kinds[name], 50)());
    path.setAttribute("fill", "currentColor");
    svg.append(path);
    return svg;
  }

  for (const place of document.querySelectorAll("[data-map]")) map(place, draw[place.dataset.map]);

  // The colour scheme, and paper

  const root = document.documentElement;
  const scheme = document.getElementById("report-scheme");
  const dark = () => (root.dataset.scheme ? root.dataset.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const name = () => (scheme.textContent = dark() ? "Light" : "Dark");
  scheme.hidden = false;
  scheme.addEventListener("click", () => {
    root.dataset.scheme = dark() ? "light" : "dark";
    name();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();

  const contents = document.querySelector(".contents");
  contents.addEventListener("click", (event) => event.target.closest("a") && (contents.open = false));
  contents.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !contents.open) return;
    contents.open = false;
    contents.querySelector("summary").focus();
  });

  let closed = [];
  let before;
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    closed.forEach((each) => (each.open = true));
    before = root.dataset.scheme;
    root.dataset.scheme = "light";
  });
  addEventListener("afterprint", () => {
    closed.forEach((each) => (each.open = false));
    if (before === undefined) delete root.dataset.scheme;
    else root.dataset.scheme = before;
  });
})();
