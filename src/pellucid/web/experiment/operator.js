// The operator's page: progress, exports and deletion. The token stays in this tab.

const FILES = [
  "answers.csv", "answers.parquet", "participants.csv", "participants.parquet", "events.csv", "remarks.csv",
  "codebook.md",
];
const EVERY = 10_000; // milliseconds between looks
const said = document.getElementById("said");
let opened = new Set(); // the details that stay open when the page is drawn again

async function ask(path, method = "GET") {
  const token = sessionStorage.getItem("operator") ?? "";
  const response = await fetch(`api/${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? `the server answers ${response.status}`);
}

function make(name, content = [], settings = {}) {
  const made = Object.assign(document.createElement(name), settings);
  made.append(...[content].flat().map((part) => (part instanceof Node ? part : String(part))));
  return made;
}

function table(caption, heads, rows) {
  const head = make("tr", heads.map((one) => make("th", one, { scope: "col" })));
  const body = rows.map((row) => make("tr", row.map((one) => make("td", one))));
  return make("table", [make("caption", caption), make("thead", head), make("tbody", body)]);
}

function details(key, summary, content) {
  const made = make("details", [make("summary", summary), content], { open: opened.has(key) });
  made.addEventListener("toggle", () => (made.open ? opened.add(key) : opened.delete(key)));
  return made;
}

async function save(name, file) {
  const link = make("a", [], { download: `${name}-${file}` });
  link.href = URL.createObjectURL(await (await ask(`${name}/${file}`)).blob());
  link.click();
  URL.revokeObjectURL(link.href);
}

async function remove(name, participant) {
  if (!confirm(`Delete all answers of ${participant}? They cannot be had back.`)) return;
  await ask(`${name}/participants/${participant}`, "DELETE");
  await show();
}

function button(text, action, label = text) {
  const made = make("button", text, { type: "button" });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => action().catch(tell));
  return made;
}

function experiment(one) {
  const time = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString() : "");
  const conditions = table(
    "Conditions",
    ["condition", "schedules", "taken", "done", "under way", "screened out"],
    one.conditions.map((c) => [c.condition, c.schedules, c.filled, c.done, c.active, c.screened_out]),
  );
  const schedules = table("Schedules", ["schedule", "people"], one.schedules.map((s) => [s.id, s.taken]));
  const people = table(
    "Participants",
    ["participant", "schedule", "stage", "started", "last seen", ""],
    one.participants.map((p) => [
      p.participant, p.schedule, p.stage, time(p.started_at), time(p.last_seen),
      button("Delete", () => remove(one.name, p.participant), `Delete ${p.participant}`),
    ]),
  );
  const exports = FILES.map((file) => button(file, () => save(one.name, file)));
  return make("section", [
    make("h2", one.name),
    make("p", one.title),
    conditions,
    make("p", `${one.withdrawn} withdrawn`),
    make("div", exports, { className: "exports" }),
    details(`${one.name}/schedules`, "Schedules", schedules),
    details(`${one.name}/people`, `Participants (${one.participants.length})`, people),
  ]);
}

function tell(problem) {
  said.textContent = problem instanceof Error ? problem.message : problem;
}

async function show() {
  const { experiments } = await (await ask("progress")).json();
  document.getElementById("experiments").replaceChildren(...experiments.map(experiment));
  tell(`Progress at ${new Date().toLocaleTimeString()}.`);
}

document.getElementById("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("operator", document.getElementById("token").value);
  show().catch(tell);
});

setInterval(() => {
  const busy = document.getElementById("experiments").contains(document.activeElement);
  if (!document.hidden && !busy && sessionStorage.getItem("operator")) show().catch(tell);
}, EVERY);

if (sessionStorage.getItem("operator")) show().catch(tell);
