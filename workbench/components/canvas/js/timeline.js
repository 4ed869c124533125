/* The strip beneath the still: what was seen, risk, spots, cuts and tracks by origin. */

const ROWS = { seen: 5, risk: 30, spots: 9, lane: 7, lanes: 9, foot: 14 };
const AROUND = 150;
const TONES = { d: "--detected", i: "--interpolated", e: "--extended", r: "--reviewer" };

class Timeline {
  constructor(canvas, count, { go, scrub, hover }) {
    this.canvas = canvas;
    this.count = count;
    this.go = go;
    this.move = (event) => { if (event.buttons & 1) scrub(this.frameAt(event)); else hover(this.frameAt(event)); };
    this.around = false;
    this.lanes = [];
    canvas.addEventListener("pointerdown", (event) => { event.preventDefault(); canvas.setPointerCapture(event.pointerId); this.go(this.frameAt(event)); });
    canvas.addEventListener("pointermove", this.move);
    canvas.setAttribute("aria-valuemax", count - 1);
  }

  /* Tracks, each on the first lane that is free; what does not fit shares the last lane. */
  update({ tracks, spots, cuts, risk }) {
    this.spots = spots;
    this.cuts = cuts;
    this.risk = risk;
    this.lanes = [];
    const ends = [];
    for (const track of [...tracks].sort((a, b) => a.start - b.start)) {
      let lane = ends.findIndex((end) => end <= track.start);
      if (lane < 0) lane = Math.min(ends.length, ROWS.lanes - 1);
      ends[lane] = Math.max(ends[lane] || 0, track.stop);
      this.lanes.push([lane, track]);
    }
    this.used = Math.max(1, ends.length);
    this.height = ROWS.seen + ROWS.risk + ROWS.spots + this.used * ROWS.lane + ROWS.foot;
    this.canvas.style.height = `${this.height}px`;
  }

  window(index) {
    if (!this.around) return [0, this.count];
    const start = Math.max(0, Math.min(index - AROUND, this.count - 2 * AROUND));
    return [start, Math.min(this.count, start + 2 * AROUND)];
  }

  frameAt(event) {
    const bounds = this.canvas.getBoundingClientRect(), [start, stop] = this.window(this.index);
    const share = Math.min(0.999999, Math.max(0, (event.clientX - bounds.left) / bounds.width));
    return Math.floor(start + share * (stop - start));
  }

  /* `asked`: first and last frame of the form that is open. */
  draw(index, { seen, chosen, spot, asked }, timeOf) {
    this.index = index;
    const ratio = window.devicePixelRatio || 1, width = this.canvas.clientWidth;
    if (!width) return;
    const sized = [Math.round(width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== sized[0] || this.canvas.height !== sized[1]) [this.canvas.width, this.canvas.height] = sized;
    const context = this.canvas.getContext("2d"), style = getComputedStyle(this.canvas);
    const tone = (name) => style.getPropertyValue(name).trim();
    const [start, stop] = this.window(index), unit = width / (stop - start);
    const x = (frame) => (frame - start) * unit;
    const bar = (from, to, y, height) => context.fillRect(x(from), y, Math.max(1, (to - from) * unit), height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, this.height);
    this.canvas.setAttribute("aria-valuenow", index);
    this.canvas.setAttribute("aria-valuetext", `Frame ${index}, ${timeOf(index)}`);

    context.fillStyle = tone("--accent");
    if (asked) {
      context.globalAlpha = 0.22;
      bar(asked[0], asked[1] + 1, ROWS.seen, this.height - ROWS.seen - ROWS.foot);
      context.globalAlpha = 1;
    }
    for (let from = start, to; from < stop; from = to + 1) {
      for (to = from; to < stop && seen[to]; to += 1);
      if (to > from) bar(from, to, 0, ROWS.seen - 1);
    }
    context.fillStyle = tone("--doubtful");
    const bucket = this.count / this.risk.length;
    this.risk.forEach((risk, place) => {
      const from = place * bucket;
      if (risk > 0 && from + bucket > start && from < stop) bar(from, from + bucket, ROWS.seen + ROWS.risk * (1 - risk), ROWS.risk * risk);
    });
    this.ticks(context, x, tone, spot);
    const below = ROWS.seen + ROWS.risk + ROWS.spots;
    for (const [lane, track] of this.lanes) {
      if (track.stop <= start || track.start >= stop) continue;
      let at = track.start;
      for (const [kind, length] of track.runs) {
        if (kind !== "-") {
          context.globalAlpha = chosen === null || chosen === track.track ? 1 : 0.5;
          context.fillStyle = tone(TONES[kind]);
          bar(at, at + length, below + lane * ROWS.lane, ROWS.lane - 2);
        }
        at += length;
      }
    }
    context.globalAlpha = 1;
    context.fillStyle = tone("--ink");
    for (const cut of this.cuts) if (cut >= start && cut < stop) context.fillRect(x(cut), ROWS.seen, 1, this.height - ROWS.seen - ROWS.foot);
    this.foot(context, width, start, stop, timeOf, tone);
    context.fillStyle = tone("--ink");
    context.fillRect(x(index + 0.5) - 1, 0, 2, this.height - ROWS.foot + 3);
  }

  ticks(context, x, tone, spot) {
    const y = ROWS.seen + ROWS.risk;
    for (const one of this.spots) {
      const at = x(one.at + 0.5), size = one.key === spot ? 5 : 3.5;
      context.fillStyle = one.state === "open" ? tone("--doubtful") : tone("--quiet");
      context.beginPath();
      context.moveTo(at, y + ROWS.spots - size * 1.6);
      context.lineTo(at + size, y + ROWS.spots - 1);
      context.lineTo(at - size, y + ROWS.spots - 1);
      context.fill();
    }
  }

  foot(context, width, start, stop, timeOf, tone) {
    context.fillStyle = tone("--ink");
    context.font = "11px sans-serif";
    context.textBaseline = "bottom";
    const marks = Math.max(2, Math.min(9, Math.floor(width / 130)));
    for (let mark = 0; mark < marks; mark += 1) {
      const frame = Math.round(start + (stop - 1 - start) * mark / (marks - 1));
      context.textAlign = mark === 0 ? "left" : mark === marks - 1 ? "right" : "center";
      context.fillText(`${timeOf(frame)}`, mark === 0 ? 3 : mark === marks - 1 ? width - 3 : width * mark / (marks - 1), this.height - 1);
    }
  }
}
