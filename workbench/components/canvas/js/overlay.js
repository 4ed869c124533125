import { contextOf } from "../../shared/dom.js";
import { LabelPlacing } from "./labels.js";

/**
 * @import { Label } from "./labels.js"
 * @import { Projection, Rectangle } from "./projection.js"
 * @import { Outline } from "./types.js"
 */

const SVG = "http://www.w3.org/2000/svg";
const GRIPS = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const GRIP_SIDE = 9;

/** Draws boxes, their labels and their grips over the picture. */
export class Overlay {
  /**
   * @param {SVGSVGElement} place
   * @param {Projection} projection
   * @param {(track: number) => void} onFocus called when a box that is not chosen gets the focus
   */
  constructor(place, projection, onFocus) {
    this.place = place;
    this.projection = projection;
    this.onFocus = onFocus;
    const ruler = contextOf(document.createElement("canvas"));
    ruler.font = `600 11px ${getComputedStyle(place).fontFamily}`;
    this.labels = new LabelPlacing(projection, (text) => ruler.measureText(text).width);
  }

  /**
   * Draws boxes in place of those that were there.
   * @param {Outline[]} all
   */
  draw(all) {
    const outlines = all.filter((outline) => this.projection.meets(outline.box));
    const focused = this.focusedTrack();
    const labels = this.labels.place(outlines);
    const reached = outlines.find((outline) => outline.chosen) ?? outlines[0];
    this.place.replaceChildren();
    for (const outline of outlines) {
      const group = svg("g", { class: outline.tone });
      const box = this.box(outline, outline === reached);
      group.append(svg("rect", { class: "under", ...this.projection.onScreen(outline.box) }), box);
      this.place.append(group);
      if (focused === String(outline.track)) {
        box.focus({ preventScroll: true });
      }
    }
    // Labels and grips lie over every box.
    for (const outline of outlines) {
      this.place.append(this.onTop(outline, labels.get(outline)));
    }
  }

  /** @returns {string | undefined} the track of the box that has the focus */
  focusedTrack() {
    const root = this.place.getRootNode();
    const active = root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
    return active instanceof SVGElement ? active.dataset.track : undefined;
  }

  /**
   * @param {Outline} outline
   * @param {boolean} reached whether the Tab key leads here
   */
  box(outline, reached) {
    const names = ["box", outline.tone, outline.chosen && "chosen", outline.visible && "visible"];
    const box = svg("rect", {
      class: names.filter(Boolean).join(" "),
      ...this.projection.onScreen(outline.box),
      "data-track": outline.track,
      tabindex: reached ? "0" : "-1",
      role: "button",
      "aria-label": outline.said,
      "aria-pressed": String(Boolean(outline.chosen)),
    });
    box.addEventListener("focus", () => {
      if (!outline.chosen) {
        this.onFocus(outline.track);
      }
    });
    return box;
  }

  /**
   * @param {Outline} outline
   * @param {Label | undefined} label
   */
  onTop(outline, label) {
    const group = svg("g", { class: outline.tone });
    if (label) {
      const { x, y, width, height, text } = label;
      group.append(svg("rect", { class: "tagback", x, y, width, height, rx: 2 }));
      group.append(svg("text", { class: "tag", x: x + 4, y: y + 11 }, text));
    }
    if (outline.held) {
      const place = this.projection.onScreen(outline.box);
      group.append(...GRIPS.map((grip) => gripAt(grip, place)));
    }
    return group;
  }
}

/**
 * @param {string} name
 * @param {Rectangle} box
 */
function gripAt(name, box) {
  const across = middleOr(name.includes("w"), name.includes("e"));
  const down = middleOr(name.includes("n"), name.includes("s"));
  return svg("rect", {
    class: "grip",
    "data-grip": name,
    x: box.x + across * box.width - GRIP_SIDE / 2,
    y: box.y + down * box.height - GRIP_SIDE / 2,
    width: GRIP_SIDE,
    height: GRIP_SIDE,
    style: `cursor:${name}-resize`,
  });
}

/**
 * @param {boolean} atStart
 * @param {boolean} atEnd
 */
function middleOr(atStart, atEnd) {
  return (1 + Number(atEnd) - Number(atStart)) / 2;
}

/**
 * Makes an SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElementTagNameMap[Tag]}
 */
function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, String(value));
  }
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}
