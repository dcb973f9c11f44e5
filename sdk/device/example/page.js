// A page as a device: finds the nearest back-end of an app, shows it, and follows its events.
import { createDevice, endpointOf, urlOf } from "./archipelago-device.js";

const at = (id) => document.getElementById(id);
const show = (id, text) => at(id).textContent = text;

let events;

at("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  findAndFollow().catch((error) => show("status", error.message));
});
at("place").addEventListener("change", () => {
  if (events?.updateLocation(placeNow())) note(`Now in ${at("place").selectedOptions[0].text}`);
});
at("measure").addEventListener("click", () => events?.measure());
at("leave").addEventListener("click", () => events?.close());

function placeNow() {
  const [latitude, longitude] = at("place").value.split(",").map(Number);
  return { latitude, longitude };
}

async function findAndFollow() {
  await events?.close();
  events = undefined;
  const [organization, name, version] = at("app").value.split("/");
  const device = createDevice({
    url: at("dme").value,
    app: { organization, name, version },
    carrier: at("carrier").value,
  });
  const instance = await device.findCloudlet(placeNow());
  if (instance === undefined) return show("status", "There is no usable instance.");
  note(`Found ${instance.fqdn}`);
  await showInstance(instance);
  events = device.followEdgeEvents(instance, { location: placeNow });
  follow(events);
}

async function follow(followed) {
  for await (const event of followed) {
    note(textOf(event));
    if (event.type === "newInstance") await showInstance(event.instance);
    if (event.type === "latency") {
      show("latency", event.statistics.samples ? `${event.statistics.average.toFixed(1)} ms` : "not reached");
    }
    if (event.type === "open") show("stream", `open, by ${event.form}`);
    if (event.type === "lost") show("stream", "lost, opening it again");
  }
  show("stream", "closed");
}

async function showInstance(instance) {
  const endpoint = endpointOf(instance);
  const url = endpoint === undefined ? undefined : urlOf(endpoint);
  const { latitude, longitude } = instance.location;
  show("status", "");
  show("fqdn", instance.fqdn);
  show("location", `${latitude.toFixed(2)}, ${longitude.toFixed(2)}`);
  show("address", url ?? "no port");
  if (url !== undefined) at("address").href = url;
  for (const hidden of document.querySelectorAll("dl, #actions")) hidden.hidden = false;
  show("answer", "…");
  try {
    show("answer", url === undefined ? "nothing" : (await (await fetch(url)).text()).slice(0, 200));
  } catch {
    show("answer", "nothing that a page may read");
  }
}

/** An event in words. */
function textOf(event) {
  switch (event.type) {
    case "open":
      return `The stream is open, by ${event.form}`;
    case "lost":
      return `The stream is lost: ${event.error?.message ?? "it ended"}`;
    case "failed":
      return `The stream is over: ${event.error.message}`;
    case "cloudletState":
      return `The cloudlet is ${event.state}`;
    case "maintenance":
      return `Maintenance of the cloudlet: ${event.state}`;
    case "health":
      return `Health of the instance: ${event.health}`;
    case "newInstance":
      return `To ${event.instance.fqdn} (${event.trigger})`;
    case "stay":
      return `Staying (${event.trigger}): ${event.reason}`;
    case "latency":
      return `Measured ${event.values.map((value) => value.toFixed(1)).join(", ")} ms`;
    case "latencyProcessed":
      return `The region counts ${event.statistics.samples} samples, ${
        event.statistics.average.toFixed(1)
      } ms on average`;
    default:
      return event.reason ?? event.type;
  }
}

function note(text) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString();
  line.append(time, text);
  at("events").prepend(line);
}
