/* A box that is being drawn: keyframes of a face that was missed, or other boxes for a track, until they are saved. */

class Draft {
  constructor(track = null) {
    this.track = track;
    this.keys = new Map();
  }

  get adds() { return this.track === null; }

  get frames() { return [...this.keys.keys()].sort((a, b) => a - b); }

  set(index, box) { this.keys.set(index, box); }

  /* Its box in a frame: interpolated between keyframes, held beyond them. */
  box(index) {
    const frames = this.frames;
    if (!frames.length) return null;
    const after = frames.find((frame) => frame >= index), before = frames.filter((frame) => frame <= index).pop();
    if (after === undefined) return this.keys.get(before);
    if (before === undefined || before === after) return this.keys.get(after);
    const share = (index - before) / (after - before), last = this.keys.get(after);
    return this.keys.get(before).map((edge, place) => edge + (last[place] - edge) * share);
  }

  covers(index) { const frames = this.frames; return index >= frames[0] && index <= frames[frames.length - 1]; }

  get title() {
    const frames = this.frames, last = frames[frames.length - 1];
    const where = frames.length === 1 ? `in frame ${last}` : `keyframes ${frames.join(", ")}`;
    return this.adds ? `New face, ${where}. Step on to keep it longer; move the box there to follow the face.`
      : `Track ${this.track}, other box, ${where}. Step on and move the box there to follow the face.`;
  }

  action(until) {
    const keys = new Map(this.keys), last = Math.max(...keys.keys());
    if (until > last) keys.set(until, keys.get(last));
    const keyframes = [...keys].sort((a, b) => a[0] - b[0]);
    return this.adds ? { kind: "add", keyframes } : { kind: "resize", track: this.track, keyframes };
  }
}
