/* The picture and what is drawn over it. Boxes are in display pixels; the view says which part of them is on screen. */

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 4;
const MOST_ZOOM = 16;
const TAG = 15;
const FEW = 4;
const GRIPS = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function overlap(one, other) {
  return one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height;
}

class Stage {
  constructor(part, size, on) {
    this.stage = part("stage");
    this.canvas = part("still");
    this.boxes = part("boxes");
    this.slider = part("split");
    this.size = size;
    this.on = on;
    this.zoom = 1;
    this.left = 0;
    this.top = 0;
    this.pictures = [null, null];
    this.drag = null;
    this.ruler = document.createElement("canvas").getContext("2d");
    this.ruler.font = `600 11px ${getComputedStyle(this.stage).fontFamily}`;
    this.boxes.addEventListener("pointerdown", (event) => this.down(event));
    this.boxes.addEventListener("pointermove", (event) => this.move(event));
    this.boxes.addEventListener("pointerup", (event) => this.up(event));
    this.boxes.addEventListener("pointercancel", () => { this.drag = null; this.on.redraw(); });
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.slider.addEventListener("input", () => this.paint());
  }

  /* Pixels of the screen for a display pixel. */
  get scale() { return this.fitted * this.zoom; }

  /* Longer side of a still that shows every pixel the screen has. */
  get side() {
    const longest = Math.max(this.size.width, this.size.height);
    return Math.min(longest, Math.ceil(longest * this.scale * (window.devicePixelRatio || 1)));
  }

  layout(width, most) {
    this.fitted = Math.min(width / this.size.width, most / this.size.height);
    this.height = Math.round(this.size.height * this.fitted);
    this.width = width;
    this.stage.style.height = `${this.height}px`;
    this.paint();
  }

  /* Where the picture begins on the stage: centred when it is narrower. */
  get inset() { return Math.max(0, (this.width - this.size.width * this.scale) / 2); }

  zoomTo(zoom, x = this.left + this.size.width / this.zoom / 2, y = this.top + this.size.height / this.zoom / 2) {
    const before = this.zoom;
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, zoom));
    this.left = x - (x - this.left) * before / this.zoom;
    this.top = y - (y - this.top) * before / this.zoom;
    this.hold();
    this.on.zoomed();
  }

  /* Zoom with a box in the middle; without one, about the middle of what is seen. */
  zoomOn(zoom, box) {
    if (!box) { this.zoomTo(zoom); return; }
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, zoom));
    this.middle(box);
    this.on.zoomed();
  }

  /* The zoom in which a box takes a share of the stage. */
  zoomFor([left, top, right, bottom], share) {
    return Math.max(1.5, share * Math.min(this.width / (right - left), this.height / (bottom - top)) / this.fitted);
  }

  middle([left, top, right, bottom]) {
    this.left = (left + right) / 2 - this.width / this.scale / 2;
    this.top = (top + bottom) / 2 - this.height / this.scale / 2;
    this.hold();
  }

  centre(box) {
    this.middle(box);
    this.paint();
  }

  shows(box) {
    const { x, y, width, height } = this.onScreen(box);
    return x >= 0 && y >= 0 && x + width <= this.width && y + height <= this.height;
  }

  meets(box) {
    const { x, y, width, height } = this.onScreen(box);
    return x < this.width && y < this.height && x + width > 0 && y + height > 0;
  }

  /* Move the view by shares of what is seen. */
  pan(across, down) {
    this.left += across * this.width / this.scale;
    this.top += down * this.height / this.scale;
    this.hold();
    this.on.redraw();
  }

  hold() {
    const seen = { width: Math.min(this.size.width, this.width / this.scale), height: Math.min(this.size.height, this.height / this.scale) };
    this.left = Math.min(this.size.width - seen.width, Math.max(0, this.left));
    this.top = Math.min(this.size.height - seen.height, Math.max(0, this.top));
  }

  /* Pictures before and after; either may be missing. */
  show(before, after) {
    for (const old of this.pictures) if (old && old !== before && old !== after) old.close();
    this.pictures = [before, after];
    this.paint();
  }

  paint() {
    const ratio = window.devicePixelRatio || 1, canvas = this.canvas;
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#0b0d0f";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [before, after] = this.pictures;
    if (before && after) {
      const line = this.width * this.slider.value / 100;
      this.put(context, before, 0, line);
      this.put(context, after, line, this.width);
      context.fillStyle = "#fff";
      context.fillRect(line - 1, 0, 2, this.height);
    } else if (before || after) this.put(context, before || after, 0, this.width);
  }

  put(context, picture, from, to) {
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, this.height);
    context.clip();
    context.drawImage(picture, this.inset - this.left * this.scale, -this.top * this.scale,
      this.size.width * this.scale, this.size.height * this.scale);
    context.restore();
  }

  onScreen(box) {
    const [left, top, right, bottom] = box, s = this.scale;
    return { x: this.inset + (left - this.left) * s, y: (top - this.top) * s, width: (right - left) * s, height: (bottom - top) * s };
  }

  at(event) {
    const bounds = this.boxes.getBoundingClientRect();
    return [(event.clientX - bounds.left - this.inset) / this.scale + this.left, (event.clientY - bounds.top) / this.scale + this.top];
  }

  /* Draw boxes: `faces` with box, tone, label, track, chosen, visible; grips round the one that is `held`. */
  outline(all) {
    const faces = all.filter((face) => this.meets(face.box));
    const focused = this.boxes.getRootNode().activeElement?.dataset?.track;
    this.boxes.replaceChildren();
    const labels = this.labels(faces), reached = faces.find((face) => face.chosen) || faces[0];
    for (const face of faces) {
      const place = this.onScreen(face.box), group = svg("g", { class: face.tone });
      const name = ["box", face.tone, face.chosen && "chosen", face.visible && "visible"].filter(Boolean).join(" ");
      group.append(svg("rect", { class: "under", ...place }));
      const rect = svg("rect", { class: name, ...place, "data-track": face.track, tabindex: face === reached ? "0" : "-1", role: "button", "aria-label": face.said, "aria-pressed": String(Boolean(face.chosen)) });
      rect.addEventListener("focus", () => { if (!face.chosen && !this.drag) this.on.choose(face.track); });
      group.append(rect);
      this.boxes.append(group);
      if (focused !== undefined && focused === String(face.track)) rect.focus({ preventScroll: true });
    }
    for (const face of faces) this.boxes.append(this.over(face, labels.get(face)));
  }

  /* What lies over every box: its label, and grips where it can be resized. */
  over(face, label) {
    const group = svg("g", { class: face.tone }), place = this.onScreen(face.box);
    this.label(group, label);
    if (face.held) for (const grip of GRIPS) group.append(this.grip(grip, place));
    return group;
  }

  /* Where labels go and what they say: in full where there is room, so that none hides another or a neighbour's face. */
  labels(faces) {
    const taken = [], placed = new Map(), few = faces.length <= FEW;
    for (const face of [...faces].sort((a, b) => Number(Boolean(b.chosen)) - Number(Boolean(a.chosen)))) {
      const box = this.onScreen(face.box), texts = few || face.chosen || this.wide(face.label) <= box.width + 30 ? [face.label, face.short] : [face.short];
      const tries = texts.flatMap((text) => [this.above(box, text, face.held), this.beneath(box, text, face.held)]);
      const free = tries.find((one) => !taken.some((other) => overlap(one, other))) || tries[tries.length - 2];
      taken.push(free);
      placed.set(face, free);
    }
    return placed;
  }

  wide(text) {
    return Math.ceil(this.ruler.measureText(text).width) + 8;
  }

  above(box, text, held) {
    const y = box.y - TAG - (held ? 6 : 1);
    return y < 0 ? this.beneath(box, text, held) : this.tag(box, y, text);
  }

  beneath(box, text, held) { return this.tag(box, Math.max(0, Math.min(box.y + box.height + (held ? 6 : 1), this.height - TAG)), text); }

  tag(box, y, text) {
    const width = this.wide(text);
    return { x: Math.max(0, Math.min(box.x - 1, this.width - width)), y, width, height: TAG, text };
  }

  label(group, { x, y, width, height, text }) {
    group.append(svg("rect", { class: "tagback", x, y, width, height, rx: 2 }));
    group.append(svg("text", { class: "tag", x: x + 4, y: y + 11 }, text));
  }

  grip(name, { x, y, width, height }) {
    const across = name.includes("w") ? 0 : name.includes("e") ? width : width / 2;
    const down = name.includes("n") ? 0 : name.includes("s") ? height : height / 2;
    return svg("rect", { class: "grip", "data-grip": name, x: x + across - 4.5, y: y + down - 4.5, width: 9, height: 9, style: `cursor:${name}-resize` });
  }

  down(event) {
    if (event.button === 1 || (event.button === 0 && event.altKey)) {
      this.drag = { pan: true, x: event.clientX, y: event.clientY, left: this.left, top: this.top };
      this.stage.classList.add("panning");
    } else if (event.button === 0) {
      const { grip, track } = event.target.dataset;
      this.drag = { from: this.at(event), grip, track, x: event.clientX, y: event.clientY };
      if (track !== undefined) this.on.choose(Number(track));
    } else return;
    event.preventDefault();
    this.on.grabbed();
    this.boxes.setPointerCapture(event.pointerId);
  }

  move(event) {
    const drag = this.drag;
    if (!drag) return;
    if (drag.pan) {
      this.left = drag.left - (event.clientX - drag.x) / this.scale;
      this.top = drag.top - (event.clientY - drag.y) / this.scale;
      this.hold();
      this.paint();
      this.on.redraw();
      return;
    }
    drag.moved ||= Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) > 3;
    if (!drag.moved) return;
    drag.start ||= this.on.held(drag);
    const box = this.dragged(drag, this.at(event));
    if (box) this.on.boxed(box, drag);
  }

  up() {
    const drag = this.drag;
    this.drag = null;
    this.stage.classList.remove("panning");
    if (drag && !drag.moved && !drag.pan && drag.track === undefined && !drag.grip) this.on.choose(null);
    this.on.redraw();
  }

  dragged({ from, grip, track, start }, [x, y]) {
    const [dx, dy] = [x - from[0], y - from[1]];
    if (grip && start) return this.resized(start, grip, dx, dy);
    if (track !== undefined && start) return this.shifted(start, dx, dy);
    return this.clipped([Math.min(from[0], x), Math.min(from[1], y), Math.max(from[0], x), Math.max(from[1], y)]);
  }

  /* A box in the middle of what is seen. */
  middleBox() {
    const side = Math.min(this.size.width, this.size.height) / 6 / Math.sqrt(this.zoom);
    const x = this.left + Math.min(this.size.width, this.width / this.scale) / 2, y = this.top + Math.min(this.size.height, this.height / this.scale) / 2;
    return this.clipped([x - side / 2, y - side / 2, x + side / 2, y + side / 2]);
  }

  shifted([left, top, right, bottom], dx, dy) {
    const x = Math.min(this.size.width - right, Math.max(-left, dx)), y = Math.min(this.size.height - bottom, Math.max(-top, dy));
    return [left + x, top + y, right + x, bottom + y];
  }

  resized([left, top, right, bottom], grip, dx, dy) {
    return this.clipped([
      grip.includes("w") ? Math.min(left + dx, right - SMALLEST) : left, grip.includes("n") ? Math.min(top + dy, bottom - SMALLEST) : top,
      grip.includes("e") ? Math.max(right + dx, left + SMALLEST) : right, grip.includes("s") ? Math.max(bottom + dy, top + SMALLEST) : bottom,
    ]);
  }

  clipped([left, top, right, bottom]) {
    const box = [Math.max(0, left), Math.max(0, top), Math.min(this.size.width, right), Math.min(this.size.height, bottom)];
    return box[2] - box[0] < SMALLEST || box[3] - box[1] < SMALLEST ? null : box.map((edge) => Math.round(edge * 100) / 100);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoomTo(this.zoom * (event.deltaY < 0 ? 1.25 : 0.8), ...this.at(event));
  }
}
