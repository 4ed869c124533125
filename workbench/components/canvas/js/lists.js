/* The side panel: how far the review is, the queue of doubtful spots, the amendments. */

function element(name, properties = {}, ...children) {
  const { dataset, attributes, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, dataset || {});
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function percent(share) { return `${Math.floor(share * 100 + 1e-9)} %`; }

class Lists {
  constructor(part, on) {
    this.sum = part("sum");
    this.spots = part("spots");
    this.amendments = part("amendments");
    this.on = on;
  }

  update(data) {
    this.data = data;
    this.listSpots(data.spots);
    this.listAmendments(data.amendments);
  }

  /* The engine counts the same way when the page is drawn; here it is counted on as one works. */
  risk(seen) {
    let whole = 0, looked = 0;
    for (const { start, stop, risk } of this.data.spots) {
      let count = 0;
      for (let frame = start; frame < stop; frame += 1) count += seen[frame];
      whole += risk;
      looked += risk * count / (stop - start);
    }
    return whole ? looked / whole : 1;
  }

  count({ flags, count: seen, mine }, frames) {
    const { spots } = this.data, risk = this.risk(flags), open = spots.filter((spot) => spot.state === "open").length;
    const row = (name, value, share) => element("div", {}, element("div", { className: "row" }, element("span", {}, name), element("b", {}, value)),
      element("div", { className: "meter", attributes: { "aria-hidden": "true" } }, element("i", { style: `width:${100 * share}%` })));
    this.sum.replaceChildren(
      row("Risk looked at", spots.length ? percent(risk) : "no spots", spots.length ? risk : 0),
      row("Spots decided", spots.length ? `${spots.length - open} of ${spots.length}` : "no spots", spots.length ? 1 - open / spots.length : 0),
      row("Frames seen", `${seen} of ${frames}${mine === seen ? "" : `, ${mine} by you`}`, seen / frames),
    );
  }

  listSpots(spots) {
    this.items = new Map();
    const made = [...spots].sort((one, other) => Number(one.state !== "open") - Number(other.state !== "open")).map((spot) => {
      const done = spot.state !== "open";
      const range = spot.stop - spot.start > 1 ? `${spot.start}–${spot.stop - 1}` : `${spot.start}`;
      const item = element("button", { className: `item${done ? " done" : ""}`, dataset: { spot: spot.key }, onclick: () => this.on.spot(spot.key) },
        element("i", { style: done ? "height:0" : `height:${Math.max(6, Math.round(100 * spot.risk))}%`, attributes: { "aria-hidden": "true" } }),
        element("span", { className: "head" }, element("span", {}, spot.label + (spot.track === null ? "" : `, track ${spot.track}`)), element("span", {}, range)),
        element("span", { className: "why" }, `${done ? (spot.state === "accepted" ? "Accepted" : "Amended") : `Risk ${spot.risk.toFixed(2)}`}: ${spot.reason}`));
      this.items.set(spot.key, item);
      return item;
    });
    const open = spots.filter((spot) => spot.state === "open").length;
    if (open < made.length) made.splice(open, 0, element("h4", { className: "quiet" }, open ? "Decided" : "Every spot is decided"));
    this.spots.replaceChildren(...(made.length ? made : [element("p", { className: "nothing" }, "No doubtful spots. Step through the video to see for yourself.")]));
  }

  mark(key) {
    for (const [other, item] of this.items) {
      item.classList.toggle("current", other === key);
      if (other === key) { item.setAttribute("aria-current", "true"); this.into(item); } else item.removeAttribute("aria-current");
    }
  }

  into(item) {
    const list = this.spots.getBoundingClientRect(), place = item.getBoundingClientRect();
    if (place.top < list.top) this.spots.scrollTop -= list.top - place.top + 8;
    else if (place.bottom > list.bottom) this.spots.scrollTop += place.bottom - list.bottom + 8;
  }

  listAmendments(amendments) {
    const made = amendments.slice().reverse().map((one) => element("div", { className: `amendment${one.undone ? " undone" : ""}` },
      element("button", { className: "go what", disabled: one.frame === null, onclick: () => this.on.frame(one.frame, one.track) }, `${one.number}. ${one.what}`),
      one.undone || !this.data.rights.amend ? element("span", { className: "quiet" }, one.undone ? "undone" : "")
        : element("button", { onclick: () => this.on.undo(one.number), attributes: { "aria-label": `Undo amendment ${one.number}` } }, "Undo"),
      element("span", { className: "quiet" }, `${one.by}, ${one.at}${one.reason ? `: ${one.reason}` : ""}`)));
    this.amendments.replaceChildren(...(made.length ? made : [element("p", { className: "nothing" }, "Nothing was amended yet.")]));
  }
}
