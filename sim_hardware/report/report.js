"use strict";
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const root = document.documentElement;
  const plots = [];
  const dt = run.interval_s, n = run.intervals, endS = n * dt;
  const unit = endS > 3 * 86400 ? { name: "d", s: 86400 } : endS > 2 * 3600 ? { name: "h", s: 3600 } : { name: "min", s: 60 };
  const end = endS / unit.s, step = dt / unit.s;
  const xs = [0, ...Array.from({ length: n }, (_, i) => (i + 0.5) * step), end];
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const ink = (name) => () => css(name);
  const hue = (deg, k) => () => `hsl(${deg} 62% calc(${css("--hue-light")} + ${k * 9 - 12}%))`;

  // --- Numbers -------------------------------------------------------------------------------------------------------
  function unpackRange(packed) {
    let now = 0;
    const low = packed.low.map((d) => (d === null ? null : (now += d) * packed.scale));
    return { low, high: low.map((v, i) => (v === null ? null : v + packed.span[i] * packed.scale)) };
  }
  function unpackRuns(packed) {
    const found = [];
    for (let i = 0; i < packed.length; i += 2) for (let k = 0; k < packed[i + 1]; k++) found.push(packed[i]);
    return found;
  }
  const padded = (values) => [null, ...values, null];
  const ends = (values) => [values[0], ...values, values[values.length - 1]];
  const kg = (v) => v.toLocaleString("en", { maximumFractionDigits: Math.abs(v) < 1000 ? 1 : 0 });
  const number = (v) => (v === null || v === undefined ? "–" : Number(v.toPrecision(4)).toLocaleString("en"));
  const least = (values) => values.reduce((a, v) => (v !== null && v < a ? v : a), Infinity);
  const greatest = (values) => values.reduce((a, v) => (v !== null && v > a ? v : a), -Infinity);
  function clock(s) {
    const d = Math.floor(s / 86400), rest = s - d * 86400, two = (v) => String(Math.floor(v)).padStart(2, "0");
    return `${d ? d + " d " : ""}${two(rest / 3600)}:${two((rest / 60) % 60)}:${two(rest % 60)}`;
  }
  const lasting = (s) => (s < 100 ? `${number(s)} s` : s < 7200 ? `${number(s / 60)} min` : `${number(s / 3600)} h`);

  // --- Elements ------------------------------------------------------------------------------------------------------
  function el(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  const plotsHere = document.getElementById("plots"), tablesHere = document.getElementById("tables");
  function section(title, under, where = plotsHere) {
    const here = el("section", { "aria-label": title, id: title.toLowerCase().replaceAll(/[^a-z]+/g, "-") }, el("h2", {}, title));
    if (under) here.append(el("p", { class: "under" }, under));
    where.append(here);
    return here;
  }
  function table(caption, heads, rows, where) {
    const cell = (tag, text, k) => el(tag, typeof rows[0]?.[k] === "number" ? { class: "n" } : {}, typeof text === "number" ? kg(text) : text);
    const head = el("thead", {}, el("tr", {}, ...heads.map((h, k) => cell("th", h, k))));
    const body = el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((text, k) => cell("td", text, k)))));
    where.append(el("table", {}, el("caption", {}, caption), head, body));
  }

  // --- One plot ------------------------------------------------------------------------------------------------------
  const LEFT = 136, RIGHT = 74;  // every wide plot begins and ends at the same place, so that times stand above each other
  let count = 0;
  function plot(where, title, summary, height, options, columns) {
    const id = `plot-${++count}`, narrow = where.classList.contains("grid");
    const box = el("div");
    const words = el("figcaption", { id }, title + " ", el("small", {}, summary));
    where.append(el("figure", { role: "group", "aria-labelledby": id }, words, box));
    const axis = { stroke: ink("--ink"), grid: { stroke: ink("--faint"), width: 1 }, ticks: { stroke: ink("--faint"), width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 18 };
    const xAxis = { ...axis, labelSize: 16, label: `time since the start, ${unit.name}`, space: 60, size: 32 };
    const made = new uPlot({
      width: Math.max(300, box.clientWidth), height,
      padding: [8, narrow || options.axes.length > 1 ? 12 : 12 + RIGHT, 0, 0],
      cursor: { sync: { key: "run", setSeries: false, scales: ["x", null] }, drag: { x: true, y: false, setScale: true }, points: { show: false }, y: false },
      ...options,
      scales: { x: { time: false }, ...options.scales },
      axes: [xAxis, ...options.axes.map((a) => ({ ...axis, size: a.side === 1 ? RIGHT - 18 : narrow ? 62 : LEFT - (a.label ? 18 : 0), ...a }))],
      series: [{ label: "time", value: (u, v) => (v === null ? "–" : clock(v * unit.s)) }, ...options.series],
      hooks: { ...options.hooks, setScale: [follow], draw: [drawMarks, ...(options.hooks?.draw ?? [])] },
    }, [xs, ...columns], box);
    const canvas = made.root.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${title}. ${summary}`);
    plots.push({ made, box, height });
    return made;
  }
  function follow(u, key) {
    if (key !== "x") return;
    const { min, max } = u.scales.x;
    for (const { made } of plots) if (made !== u && (made.scales.x.min !== min || made.scales.x.max !== max)) made.setScale("x", { min, max });
    const whole = min <= 0 && max >= end;
    document.getElementById("zoomed").textContent = whole ? "" : `${clock(min * unit.s)} to ${clock(max * unit.s)}`;
  }
  // Marks across every plot: faults and spills always, what repeats without end only while it can be told apart.
  const few = (found) => (found.length <= 16 ? found : []);
  const begun = (kind) => run.happenings.filter((h) => h.on && h.kind === kind);
  const marked = [...run.happenings.filter((h) => h.kind === "fault"), ...begun("spill").slice(0, 40), ...few(begun("float")), ...few(begun("feed"))];
  function drawMarks(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = css("--muted");
    ctx.globalAlpha = 0.45;
    ctx.setLineDash([2, 5]);
    for (const h of marked) {
      const x = u.valToPos(h.at_s / unit.s, "x", true);
      if (h.at_s === 0 || x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
    }
    ctx.restore();
  }
  // A line through least and greatest of every interval: what is thinner than a pixel is still drawn in full height.
  function rangeSeries(label, range, stroke, unitName, extra = {}) {
    const low = ends(range.low), high = ends(range.high);
    const scale = extra.scale ?? "y";
    const paths = (u, k, i0, i1) => {
      const path = new Path2D();
      let down = true, pen = false;
      for (let i = i0; i <= i1; i++) {
        if (high[i] === null) { pen = false; continue; }
        const x = u.valToPos(xs[i], "x", true), a = u.valToPos(low[i], scale, true), b = u.valToPos(high[i], scale, true);
        const [first, last] = down ? [a, b] : [b, a];
        if (pen) path.lineTo(x, first); else path.moveTo(x, first);
        if (first !== last) { path.lineTo(x, last); down = !down; }
        pen = true;
      }
      return { stroke: path, fill: null, clip: null, band: null, gaps: null, flags: 1 };
    };
    const value = (u, v, k, i) => i === null || high[i] === null || high[i] === undefined ? "–"
      : number(low[i]) === number(high[i]) ? `${number(high[i])} ${unitName}` : `${number(low[i])} … ${number(high[i])} ${unitName}`;
    return { series: { label, stroke, width: 1.5, points: { show: false }, paths, value, ...extra }, column: high, low, high };
  }
  function level(u, value, text, colour, dash, below = false) {
    const { ctx, bbox } = u, y = u.valToPos(value, "y", true);
    if (y < bbox.top - 1 || y > bbox.top + bbox.height) return;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = css(colour);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash(dash.map((d) => d * devicePixelRatio));
    ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right"; ctx.textBaseline = below ? "top" : "bottom";
    ctx.fillText(text, bbox.left + bbox.width - 4, below ? y + 2 * devicePixelRatio : y - 1);
    ctx.restore();
  }
  function tip(u, text) {
    const found = u.tipBox ?? (u.tipBox = u.over.appendChild(el("div", { class: "tip" })));
    found.style.display = text ? "block" : "none";
    found.textContent = text;
    if (!text) return;
    const right = u.cursor.left > u.over.clientWidth / 2;
    found.style.left = right ? "" : `${u.cursor.left + 12}px`;
    found.style.right = right ? `${u.over.clientWidth - u.cursor.left + 12}px` : "";
    found.style.top = `${Math.max(0, u.cursor.top - 30)}px`;
  }

  // --- Lanes: one row each, painted by interval ------------------------------------------------------------------------
  function lanes(where, title, summary, rows) {
    const height = 62 + 24 * rows.length, top = rows.length;
    const paint = (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
      rows.forEach((row, k) => {
        const y0 = u.valToPos(top - k - 0.16, "y", true), y1 = u.valToPos(top - k - 0.84, "y", true);
        ctx.fillStyle = css("--faint");
        ctx.fillRect(bbox.left, (y0 + y1) / 2 - devicePixelRatio / 2, bbox.width, devicePixelRatio);
        for (const piece of row.pieces) {
          const x0 = u.valToPos(piece.from, "x", true), x1 = u.valToPos(piece.to, "x", true);
          if (x1 < bbox.left || x0 > bbox.left + bbox.width) continue;
          ctx.globalAlpha = piece.alpha;
          ctx.fillStyle = piece.colour();
          ctx.fillRect(x0, y0, Math.max(devicePixelRatio, x1 - x0), y1 - y0);
        }
        ctx.globalAlpha = 1;
      });
      ctx.restore();
    };
    const point = (u) => {
      const { left, top: y } = u.cursor;
      if (left === null || left < 0 || y === null || y < 0) return tip(u, "");
      const k = Math.floor((y / u.over.clientHeight) * rows.length), x = u.posToVal(left, "x");
      const text = rows[k] ? rows[k].say(x) : "";
      tip(u, text ? `${clock(x * unit.s)}  ${text}` : "");
    };
    return plot(where, title, summary, height, {
      scales: { y: { range: [0, top] } },
      axes: [{ scale: "y", grid: { show: false }, ticks: { show: false }, splits: () => rows.map((_, k) => top - k - 0.5), values: () => rows.map((row) => row.name) }],
      series: [{ show: true, paths: () => null, points: { show: false } }],
      legend: { show: false },
      hooks: { draw: [paint], setCursor: [point] },
    }, [padded(Array(n).fill(0))]);
  }
  function pieces(values, look) {
    const found = [];
    for (let i = 0, from = 0; i <= n; i++) {
      if (i < n && values[i] === values[from]) continue;
      const shown = look(values[from]);
      if (shown) found.push({ from: from * step, to: i * step, ...shown });
      from = i;
    }
    return found;
  }
  const at = (values, x) => values[Math.min(n - 1, Math.max(0, Math.floor(x / step)))];

  // --- The page --------------------------------------------------------------------------------------------------------
  const o = run.outcome, spilled = o.spilled_kg > 1e-9;
  const share = (v) => (o.arrived_kg > 0 ? `${number((100 * v) / o.arrived_kg)} % of arrived` : "");
  function heading() {
    const head = document.getElementById("head");
    document.title = `Pod report: ${o.scenario}, ${o.policy}`;
    head.append(el("h1", {}, `Pod report: ${o.scenario}, ${o.policy}`));
    head.append(el("div", { class: "under" }, `${run.title ? run.title[0].toUpperCase() + run.title.slice(1) + ". " : ""}Seed ${o.seed}, tier ${o.tier}, ${lasting(o.simulated_s)} in ticks of ${o.tick_s} s; one interval on this page is ${lasting(dt)}.`));
    const over = run.vessels.filter((v) => v.spilled_kg > 1e-9);
    const words = spilled ? `Spilled ${kg(o.spilled_kg)} kg: ${over.map((v) => `${v.name} ${kg(v.spilled_waste_kg)} kg${v.spilled_kg - v.spilled_waste_kg > 0.05 ? ` (${kg(v.spilled_kg)} kg with its water)` : ""}`).join(", ")}` : "Nothing spilled, anywhere";
    head.append(el("div", { class: `verdict ${spilled ? "spilled" : "fine"}` }, words));
    const fullest = run.vessels.reduce((a, v) => (v.max_level_frac > a.max_level_frac ? v : a));
    const cards = [
      ["arrived", `${kg(o.arrived_kg)} kg`, ""], ["accepted", `${kg(o.accepted_kg)} kg`, share(o.accepted_kg)],
      ["refused", `${kg(o.refused_kg)} kg`, share(o.refused_kg)], ["processed", `${kg(o.processed_kg)} kg`, "pumped into the digester"],
      ["held at the end", `${kg(o.held_kg)} kg`, `${kg(o.held_start_kg)} kg at the start`], ["spilled", `${kg(o.spilled_kg)} kg`, spilled ? over.map((v) => v.name).join(", ") : "no vessel"],
      ["guard closures", kg(o.guard_closures), `shut ${lasting(o.closed_s)} in all`], ["fullest vessel", `${number(100 * fullest.max_level_frac)} %`, `${fullest.name}, of its lip`],
    ];
    if (run.feed) {
      const f = run.feed, worst = greatest(unpackRange(f.truth ?? f.estimate).high), capped = [41, 42, 43, 44].reduce((a, rule) => a + (f.by_rule_s[rule] ?? 0), 0);
      cards.push(["FOS/TAC, worst", number(worst), capped > 0 ? `feed capped ${lasting(capped)}` : "feed never capped"]);
    }
    head.append(el("div", { class: "cards" }, ...cards.map(([name, value, note]) => el("div", { class: name === "spilled" && spilled ? "card alarm" : "card" }, el("span", {}, name), el("b", {}, value), el("span", {}, note)))));
  }

  function arrivals() {
    const here = section("What came", `Bars: kg in each ${lasting(run.bar_s)}, accepted upwards, refused downwards, one shade per chute.`);
    const bars = run.chutes[0].accepted_kg.length, wide = run.bar_s / unit.s;
    const sides = [["accepted", "accepted_kg", 1, 208], ["refused", "refused_kg", -1, 8]];
    const columns = [], series = [], stacks = [];
    let high = 0, low = 0;
    for (const [word, key, sign, deg] of sides) {
      if (!run.chutes.some((chute) => greatest(chute[key]) > 0)) continue;
      const base = Array(bars).fill(0);
      run.chutes.forEach((chute, c) => {
        const from = base.slice();
        chute[key].forEach((v, i) => (base[i] += sign * v));
        const colour = hue(deg, c);
        const here = { from, to: base.slice(), colour, shown: () => true };
        stacks.push(here);
        columns.push(padded(Array.from({ length: n }, (_, i) => chute[key][Math.min(bars - 1, Math.floor(((i + 0.5) * dt) / run.bar_s))])));
        series.push({ label: `${chute.name} ${word}`, stroke: colour, fill: colour, paths: () => null, points: { show: false }, value: (u, v) => (v === null ? "–" : `${kg(v)} kg`) });
      });
      high = Math.max(high, greatest(base)); low = Math.min(low, least(base));
    }
    const paint = (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
      stacks.forEach((stack, k) => {
        if (!u.series[k + 1].show) return;
        ctx.fillStyle = stack.colour();
        stack.to.forEach((to, i) => {
          if (to === stack.from[i]) return;
          const x0 = u.valToPos(i * wide, "x", true), x1 = u.valToPos(Math.min(end, (i + 1) * wide), "x", true);
          const y0 = u.valToPos(to, "y", true), y1 = u.valToPos(stack.from[i], "y", true);
          ctx.fillRect(x0 + 0.5, Math.min(y0, y1), Math.max(1, x1 - x0 - 1), Math.abs(y1 - y0));
        });
      });
      ctx.fillStyle = css("--ink");
      ctx.fillRect(bbox.left, u.valToPos(0, "y", true), bbox.width, devicePixelRatio);
      ctx.restore();
    };
    const words = run.chutes.map((c) => `${c.name} ${kg(c.accepted_kg.reduce((a, v) => a + v, 0))} accepted, ${kg(c.refused_kg.reduce((a, v) => a + v, 0))} refused`).join("; ");
    plot(here, "Arrivals", `${words} (kg)`, 250, { scales: { y: { range: [low * 1.08, Math.max(1, high * 1.08)] } }, axes: [{ scale: "y", label: `kg per ${lasting(run.bar_s)}`, values: (u, vs) => vs.map((v) => kg(Math.abs(v))) }], series, hooks: { draw: [paint] } }, columns);
    sums(here);
  }
  function sums(here) {
    const rows = [["accepted", run.accepted, "--level"], ["processed", run.processed, "--open"], ["refused", run.refused, "--refused"], ["spilled, with its water", run.spilled, "--lip"]];
    const found = rows.filter(([, packed]) => packed).map(([name, packed, colour]) => rangeSeries(name, unpackRange(packed), ink(colour), "kg"));
    plot(here, "Mass so far", `since the start, kg`, 220, { scales: { y: { range: (u, a, b) => [0, Math.max(1, b * 1.05)] } }, axes: [{ scale: "y", label: "kg since the start" }], series: found.map((f) => f.series), hooks: {} }, found.map((f) => f.column));
  }

  function vessel(where, v, height) {
    const found = [rangeSeries("level", unpackRange(v.level), ink("--level"), "kg", { width: 1.75 })];
    if (v.bound) found.push(rangeSeries("at most, by the guard", unpackRange(v.bound), ink("--bound"), "kg", { width: 1 }));
    const low = least(found[0].low), high = greatest(found[0].high);
    const bottom = low > 0.5 * v.lip_kg ? Math.max(0, low - 0.35 * (v.lip_kg - low)) : 0;
    const top = v.lip_kg + 0.1 * (v.lip_kg - bottom);
    const lines = (u) => {
      level(u, v.lip_kg, `lip ${kg(v.lip_kg)} kg`, "--lip", []);
      if (v.weir_kg !== null && v.weir_kg < v.lip_kg) level(u, v.weir_kg, `weir ${kg(v.weir_kg)} kg`, "--weir", [6, 4], true);
      if (v.float_kg !== null) level(u, v.float_kg, "", "--weir", [2, 3]);
      if (v.kept_kg > 0.05 * v.lip_kg) level(u, v.lip_kg - v.kept_kg, `kept free above ${kg(v.lip_kg - v.kept_kg)} kg`, "--weir", [2, 3], true);
    };
    const over = v.spilled_kg > 1e-9 ? `, spilled ${kg(v.spilled_kg)} kg` : "";
    plot(where, v.name, `${kg(low)} to ${kg(high)} kg, lip ${kg(v.lip_kg)} kg${over}`, height, { scales: { y: { range: [bottom, top] } }, axes: [{ scale: "y", label: "kg" }], series: found.map((f) => f.series), hooks: { draw: [lines] } }, found.map((f) => f.column));
  }
  function levels() {
    const here = section("Levels", "Blue: what is really in the vessel. Orange: the most the guard reckons it may hold now. Red: the lip. Dashed: weir; dotted: the float in the buffer, and in others the room that is kept for what no inlet can stop (pressure, foam, gas).");
    const front = run.vessels.filter((v) => v.name === "buffer"), rest = run.vessels.filter((v) => v.name !== "buffer");
    front.forEach((v) => vessel(here, v, 290));
    const grid = el("div", { class: "grid" });
    here.append(grid);
    rest.forEach((v) => vessel(grid, v, 200));
  }

  function positions() {
    const here = section("Gates, lids and pumps", "By feedback, not by command: the stronger the colour, the longer open within an interval. Grey: no feedback.");
    const words = { lid: ["unlocked", "locked"], gate: ["open", "shut"], other: ["open or running", "shut or stopped"] };
    const rows = [...run.lanes].sort((a, b) => ["lid", "gate", "other"].indexOf(a.kind) - ["lid", "gate", "other"].indexOf(b.kind)).map((lane) => {
      const values = unpackRuns(lane.open_pct), colour = ink({ lid: "--lid", gate: "--open", other: "--other" }[lane.kind]);
      const look = (v) => (v > 0 ? { colour, alpha: 0.3 + 0.007 * v } : v === -1 ? { colour: ink("--muted"), alpha: 0.35 } : null);
      const say = (x) => { const v = at(values, x); return `${lane.name} (${lane.tag}): ${v === -1 ? "no feedback" : v === 0 ? words[lane.kind][1] : `${words[lane.kind][0]} ${v} % of ${lasting(dt)}`}`; };
      return { name: lane.name, pieces: pieces(values, look), say };
    });
    lanes(here, "Positions", "lids violet, gates green, everything else blue", rows);
  }

  // Okabe-Ito colours: told apart by colour-blind readers too; the airlock's ordinary waiting is pale.
  const RULES = { 2: ["#999999", 0.35], 10: ["#d55e00", 1], 11: ["#e69f00", 1], 12: ["#cc79a7", 1], 13: ["#56b4e9", 1], 20: ["#009e73", 0.3], 21: ["#0072b2", 0.25], 22: ["#b0a300", 1], 30: ["#666666", 0.8] };
  function shedding() {
    const here = section("Why something stayed shut", "The rule that refused an element longest within each interval. Pale: the airlock's ordinary waiting.");
    const used = new Set();
    run.rules.forEach((element) => Object.keys(element.by_rule_s).forEach((rule) => used.add(Number(rule))));
    const refused = run.rules.filter((element) => Object.keys(element.by_rule_s).some((rule) => Number(rule) >= 10));
    const rows = refused.map((element) => {
      const values = unpackRuns(element.rule);
      const look = (v) => (RULES[v] ? { colour: () => RULES[v][0], alpha: RULES[v][1] } : null);
      const say = (x) => { const v = at(values, x); return RULES[v] ? `${element.name}: rule ${v}, ${run.sentences[v]}` : `${element.name}: not refused`; };
      return { name: element.name, pieces: pieces(values, look), say };
    });
    if (rows.length === 0) return void here.append(el("p", {}, "Nothing was ever refused."));
    const shown = Object.keys(RULES).filter((rule) => used.has(Number(rule)));
    lanes(here, "Refusals", "by rule", rows);
    here.append(el("ul", { class: "key" }, ...shown.map((rule) => el("li", {}, el("span", { class: "swatch", style: `background:${RULES[rule][0]};opacity:${RULES[rule][1]}` }), `${rule}: ${run.sentences[rule]}`))));
    const named = shown.map((rule) => [`${rule}`, run.sentences[rule], ...run.rules.filter((r) => r.by_rule_s[rule]).length ? [run.rules.filter((r) => r.by_rule_s[rule]).map((r) => `${r.name} ${lasting(r.by_rule_s[rule])}`).join(", ")] : [""]]);
    table("Rules that refused, and for how long", ["rule", "why", "what, and how long"], named, here);
  }

  function twoAxes(where, title, summary, left, right) {
    const found = [...left.rows.map(([name, packed, colour]) => rangeSeries(name, unpackRange(packed), ink(colour), left.unit, { scale: "y" })), ...right.rows.map(([name, packed, colour]) => rangeSeries(name, unpackRange(packed), ink(colour), right.unit, { scale: "r", dash: [6, 3] }))];
    const range = (least) => (u, a, b) => { const room = Math.max(least, (b - a) * 0.12); return [Math.max(0, a - room), b + room]; };
    const axes = [{ scale: "y", label: left.label }, { scale: "r", side: 1, label: right.label, grid: { show: false } }];
    const full = (f) => [Math.min(...f.low.filter((v) => v !== null)), Math.max(...f.high.filter((v) => v !== null))];
    const fixed = (fs, side) => { const r = fs.map(full); if (side.fromZero) return [0, side.fromZero * Math.max(...r.map((x) => x[1]), 0.1)]; return range(side.room)(null, Math.min(...r.map((x) => x[0])), Math.max(...r.map((x) => x[1]))); };
    const scales = { y: { range: fixed(found.slice(0, left.rows.length), left) }, r: { range: fixed(found.slice(left.rows.length), right) } };
    const words = found.map((f) => `${f.series.label} ${number(full(f)[0])} to ${number(full(f)[1])}`).join("; ");
    plot(where, title, `${words}${summary}`, 220, { scales, axes, series: found.map((f) => f.series) }, found.map((f) => f.column));
  }
  function feeding() {
    const here = section("Feeding", "Shots of the feed pump by feedback, as the share of each interval in which it ran.");
    const pump = run.lanes.find((lane) => lane.name === "feed_pump");
    if (!pump) return void here.append(el("p", {}, "This pod has no feed pump with a feedback."));
    const values = unpackRuns(pump.open_pct).map((v) => Math.max(0, v));
    const shots = values.filter((v, i) => v > 0 && !(values[i - 1] > 0)).length;
    const done = rangeSeries("processed", unpackRange(run.processed), ink("--open"), "kg", { scale: "r" });
    const paths = (u, k, i0, i1) => {
      const fill = new Path2D(), zero = u.valToPos(0, "y", true);
      for (let i = Math.max(1, i0); i <= Math.min(n, i1); i++) {
        if (!values[i - 1]) continue;
        const x0 = u.valToPos((i - 1) * step, "x", true), x1 = u.valToPos(i * step, "x", true), y = u.valToPos(values[i - 1], "y", true);
        fill.rect(x0, y, Math.max(1, x1 - x0), zero - y);
      }
      return { stroke: null, fill, clip: null, band: null, gaps: null, flags: 1 };
    };
    const pumpSeries = { label: "feed pump runs", stroke: ink("--other"), fill: ink("--other"), paths, points: { show: false }, value: (u, v) => (v === null ? "–" : `${v} % of ${lasting(dt)}`) };
    const many = dt > 30 ? "" : `${shots} shots; `;
    plot(here, "Feed shots and processed", `${many}${kg(o.processed_kg)} kg pumped into the digester`, 220, {
      scales: { y: { range: [0, Math.max(10, greatest(values) * 1.05)] }, r: { range: [0, Math.max(1, o.processed_kg * 1.05)] } },
      axes: [{ scale: "y", label: `% of ${lasting(dt)}` }, { scale: "r", side: 1, label: "kg processed", grid: { show: false } }],
      series: [pumpSeries, done.series],
    }, [padded(values), done.column]);
  }
  function biology() {
    const here = section("Digester and light", "");
    const s = run.signals;
    twoAxes(here, "Digester", "", { label: "°C", unit: "°C", room: 0.5, rows: [["digester", s.digester_degc, "--warm"], ["heating jacket", s.jacket_degc, "--bound"]] }, { label: "gas, m³/h (dashed)", unit: "m³/h", room: 0.2, rows: [["gas", s.gas_m3_h, "--gas"]] });
    if (s.ph) {
      twoAxes(here, "How the digester stands", ". Below FOS/TAC 0.3 stable, above 0.4 going sour; the laboratory takes a sample a day", { label: "pH", unit: "", room: 0.2, rows: [["pH", s.ph, "--level"]] }, { label: "FOS/TAC (dashed)", unit: "", fromZero: 1.2, rows: [["FOS/TAC, laboratory", s.fos_tac_ratio, "--lip"]] });
      twoAxes(here, "Gas and foam", "", { label: "methane share", unit: "", room: 0.02, rows: [["methane share", s.ch4_frac, "--gas"]] }, { label: "foam, m (dashed)", unit: "m", fromZero: 1.2, rows: [["foam", s.foam_m, "--bound"]] });
    }
    twoAxes(here, "Luminous culture", "", { label: "light, 1 = brightest", unit: "", fromZero: 1.1, rows: [["light", s.light_frac, "--light"]] }, { label: "oxygen, mg/L (dashed)", unit: "mg/L", fromZero: 1.4, rows: [["dissolved oxygen", s.oxygen_mg_l, "--level"]] });
  }

  // Free, slowed, held, stopped, blind: from calm to alarming, and grey for not seen.
  const STAGES = { 40: ["free", "#009e73", 0.3], 41: ["slowed", "#e69f00", 0.8], 42: ["held low", "#d55e00", 0.9], 43: ["stopped", "#c1121f", 1], 44: ["by the table", "#666666", 0.8] };
  function digester() {
    const f = run.feed;
    if (!f) return;
    const here = section("How sour the digester is", `FOS/TAC, acids over alkalinity, warns days before the pH. The controller estimates it from gas flow, methane share and pH, adds ${f.error} for its usual error, and slows the feed from ${f.limits[0]}, holds it low from ${f.limits[1]}, stops it from ${f.limits[2]}.`);
    const found = [rangeSeries("as estimated by the controller", unpackRange(f.estimate), ink("--bound"), "", { width: 1.75 })];
    if (f.truth) found.push(rangeSeries("as it really was", unpackRange(f.truth), ink("--level"), "", { width: 1.75 }));
    const lab = run.signals.fos_tac_ratio;
    if (lab) found.push(rangeSeries("as the laboratory said last", unpackRange(lab), ink("--muted"), "", { width: 1.25, dash: [4, 3] }));
    const top = 1.08 * Math.max(f.limits[1] + 0.05, ...found.map((x) => greatest(x.high)));
    const names = ["slow", "hold", "stop"];
    const lines = (u) => f.limits.forEach((limit, k) => level(u, limit, `${names[k]} ${limit}`, k === 2 ? "--lip" : "--weir", k === 2 ? [] : [6, 4]));
    const words = found.map((x) => `${x.series.label} ${number(least(x.low))} to ${number(greatest(x.high))}`).join("; ");
    plot(here, "FOS/TAC", words, 260, { scales: { y: { range: [0, top] } }, axes: [{ scale: "y", label: "FOS/TAC" }], series: found.map((x) => x.series), hooks: { draw: [lines] } }, found.map((x) => x.column));
    const values = unpackRuns(f.rule);
    const row = { name: "feed", pieces: pieces(values, (v) => (STAGES[v] ? { colour: () => STAGES[v][1], alpha: STAGES[v][2] } : null)), say: (x) => { const v = at(values, x); return STAGES[v] ? `rule ${v}, ${run.sentences[v]}` : ""; } };
    const spent = Object.entries(f.by_rule_s).map(([rule, s]) => `${STAGES[rule][0]} ${lasting(s)}`).join(", ");
    lanes(here, "What the digester takes", spent, [row]);
    const cap = rangeSeries("at most", unpackRange(f.cap_kg_d), ink("--bound"), "kg/d", { width: 1.75 });
    const fed = fedPerDay();
    plot(here, "Feed and its cap", `kg of slurry a day: what was fed, averaged over ${lasting(averagedS)}, and the most that the digester was thought to take (nothing under rule 40: the level decides)`, 200, { scales: { y: { range: [0, 1.08 * Math.max(1, greatest(cap.high), greatest(fed.high))] } }, axes: [{ scale: "y", label: "kg slurry a day" }], series: [cap.series, fed.series], hooks: {} }, [cap.column, fed.column]);
    here.append(el("ul", { class: "key" }, ...Object.keys(f.by_rule_s).map((rule) => el("li", {}, el("span", { class: "swatch", style: `background:${STAGES[rule][1]};opacity:${STAGES[rule][2]}` }), `${rule}: ${run.sentences[rule]}`))));
  }
  // Slurry into the digester, over six hours before (an eighth of a short run; or since the start).
  const averagedS = Math.min(21600, endS / 8);
  function fedPerDay() {
    const sum = unpackRange(run.processed).high, back = Math.max(1, Math.round(averagedS / dt));
    const rate = sum.map((v, i) => { const from = Math.max(0, i - back); return i === 0 ? null : (run.feed.slurry_ratio * (v - sum[from]) * 86400) / ((i - from) * dt); });
    return rangeSeries("fed", { low: rate, high: rate }, ink("--open"), "kg/d");
  }

  const KINDS = { state: ["pod's state", "--level"], fault: ["faults", "--warm"], float: ["floats", "--bound"], full: ["counts as full", "--lid"], feed: ["feed", "--open"], spill: ["spills", "--lip"] };
  // What begins is painted until it ends; a state or a spill is a mark.
  function spans(own, h, k, width) {
    const from = h.at_s / unit.s;
    if (h.kind === "state" || h.kind === "spill") return [from + width];
    if (!h.on) return [];
    return h.things.map((thing) => {
      const over = own.slice(k + 1).find((later) => !later.on && later.things.includes(thing));
      return Math.max(from + width / 2, over ? over.at_s / unit.s : end);
    });
  }
  function events() {
    const here = section("Events", run.happenings_lost ? `${run.happenings_lost} later events are not listed.` : "");
    const width = Math.max(step, end / 400);
    const rows = Object.entries(KINDS).filter(([kind]) => run.happenings.some((h) => h.kind === kind)).map(([kind, [name, colour]]) => {
      const own = run.happenings.filter((h) => h.kind === kind);
      const near = (x) => own.reduce((a, h) => (Math.abs(h.at_s / unit.s - x) < Math.abs(a.at_s / unit.s - x) ? h : a));
      const say = (x) => { const h = near(x); return `${name}: at ${clock(h.at_s)} ${h.text}`; };
      return { name, say, pieces: own.flatMap((h, k) => spans(own, h, k, width).map((to) => ({ from: h.at_s / unit.s, to, colour: ink(colour), alpha: kind === "state" ? 1 : 0.8 }))) };
    });
    lanes(here, "When", `${run.happenings.length} events`, rows);
    const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "list of events" });
    here.append(box);
    table("What happened", ["time", "kind", "what"], run.happenings.map((h) => [clock(h.at_s), KINDS[h.kind][0], h.text]), box);
  }
  function figures() {
    const here = section("Figures", "", tablesHere);
    const reach = (packed) => unpackRange(packed);
    table("Vessels", ["vessel", "least kg", "greatest kg", "lip kg", "fullest, % of lip", "guard's greatest bound kg", "spilled kg"], run.vessels.map((v) => [v.name, least(reach(v.level).low), greatest(reach(v.level).high), v.lip_kg, 100 * v.max_level_frac, v.bound ? greatest(reach(v.bound).high) : "–", v.spilled_kg]), here);
    table("Chutes", ["chute", "arrived kg", "accepted kg", "refused kg"], Object.entries(o.sources).map(([name, s]) => [name, s.arrived_kg, s.accepted_kg, s.refused_kg]), here);
    here.append(el("p", { class: "mono" }, `Trace of every permit, SHA-256: ${o.trace_sha256}. Mass balance error ${o.balance_error_kg.toExponential(1)} kg, ${o.overruns} overruns, outputs at their fail states at the end: ${o.outputs_at_fail ? "yes" : "NO"}.`));
  }

  heading(); arrivals(); levels(); positions(); shedding(); feeding(); digester(); biology(); events(); figures();

  // --- Size, theme, print ----------------------------------------------------------------------------------------------
  const fit = (wide) => plots.forEach(({ made, box, height }) => made.setSize({ width: Math.max(300, wide ? Math.min(wide, box.clientWidth) : box.clientWidth), height }));
  const redraw = () => plots.forEach(({ made }) => made.redraw(false, true));
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(fit, 100); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.getElementById("whole").addEventListener("click", () => plots[0].made.setScale("x", { min: 0, max: end }));
  addEventListener("beforeprint", () => { root.classList.add("printing"); fit(); redraw(); });
  addEventListener("afterprint", () => { root.classList.remove("printing"); fit(); redraw(); });
  root.dataset.plots = String(plots.length);
})();
