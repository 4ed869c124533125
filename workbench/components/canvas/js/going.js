/* Going about: frame by frame, at the speed of the video, to spots, cuts and the ends of tracks; and what is fetched ahead. */

const AHEAD = 14;
const BEHIND = 5;
const AT_ONCE = 4;
const SPOTS_AHEAD = 3;
const SLOW = 0.25;

Object.assign(Viewer.prototype, {
  step(by) {
    if (this.waiting && this.repeating) return;
    this.goTo(this.index + by);
  },

  goTo(frame) {
    this.pause();
    this.scrubbed = null;
    const to = this.within(frame);
    if (to !== this.index) this.direction = Math.sign(to - this.index);
    return this.show(to);
  },

  within(frame) { return Math.max(0, Math.min(this.count - 1, Math.round(Number.isFinite(frame) ? frame : 0))); },

  /* Drawing over the timeline: one still after another, each from where the pointer is by then. */
  scrub(frame) {
    if (this.waiting) this.scrubbed = frame; else this.goTo(frame);
  },

  /* The pointer rests on the timeline: what a click there would show. */
  hover(frame) {
    clearTimeout(this.hovering);
    this.hovering = setTimeout(() => {
      if (!this.waiting && !this.playing) this.stills.want([...this.looksAt(this.within(frame)), ...this.near(this.index)]);
    }, 60);
  },

  /* ---- playing: every frame is shown, none left out; slower than the video where it must be ---- */

  play(speed = 1) {
    if (this.playing) { this.pause(); return; }
    if (this.index === this.count - 1) { this.say("This is the last frame."); return; }
    this.playing = speed;
    this.direction = 1;
    this.markPlaying();
    this.goOn();
  },

  async goOn() {
    const playing = this.playing, due = performance.now() + 1000 * this.data.step / playing;
    await this.show(this.index + 1);
    if (this.playing !== playing) return;
    if (this.painted !== this.index || this.index === this.count - 1) { this.pause(); return; }
    this.pacing = setTimeout(() => this.goOn(), Math.max(0, due - performance.now()));
  },

  pause() {
    clearTimeout(this.pacing);
    if (!this.playing) return;
    this.playing = 0;
    this.markPlaying();
  },

  markPlaying() {
    const button = this.part("play");
    button.textContent = this.playing ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(Boolean(this.playing)));
  },

  /* ---- ahead ---- */

  looksAt(frame) { return this.looks.map((after) => [frame, this.lookOf(after)]); },

  /* The nearest frames first, then where n and p would lead, then more of those in the direction of travel. */
  near(index) {
    const frames = [], add = (frame) => { if (frame >= 0 && frame < this.count) frames.push(frame); };
    for (let by = 1; by <= AHEAD; by += 1) {
      add(index + by * this.direction);
      if (by <= BEHIND) add(index - by * this.direction);
      if (by === AT_ONCE && !this.playing && this.nextSpot(1)) add(this.nextSpot(1).at);
    }
    if (!this.playing) for (const spot of [...this.spotsAfter(SPOTS_AHEAD), this.nextSpot(-1)]) if (spot) add(spot.at);
    return frames.flatMap((frame) => this.looksAt(frame));
  },

  /* ---- spots, cuts, faces ---- */

  nextSpot(by, from = this.spot) {
    const spots = this.data.spots, place = spots.findIndex((spot) => spot.key === from);
    const open = (at) => spots[at] && spots[at].state === "open";
    for (let at = place + by; at >= 0 && at < spots.length; at += by) if (open(at)) return spots[at];
    for (let at = by > 0 ? 0 : spots.length - 1; at >= 0 && at < spots.length && at !== place; at += by) if (open(at)) return spots[at];
    return null;
  },

  spotsAfter(most) {
    const found = [];
    for (let spot = this.nextSpot(1); spot && found.length < most && !found.includes(spot); spot = this.nextSpot(1, spot.key)) found.push(spot);
    return found;
  },

  spotBy(by) {
    const spot = this.nextSpot(by);
    if (spot) this.openSpot(spot.key); else this.say("No open spot is left.");
  },

  openSpot(key) {
    const spot = this.data.spots.find((one) => one.key === key);
    this.spot = key;
    this.tab("spots");
    this.lists.mark(key);
    this.choose(spot.track);
    this.goTo(spot.at);
  },

  cutBy(by) {
    const cuts = by > 0 ? this.data.cuts.find((cut) => cut > this.index) : this.data.cuts.filter((cut) => cut < this.index).pop();
    if (cuts === undefined) this.say(by > 0 ? "No cut after this frame." : "No cut before this frame."); else this.goTo(cuts);
  },

  faceBy(by) {
    const tracks = (this.current?.faces || []).map((face) => face.track);
    if (!tracks.length) { this.say(this.painted === this.index ? "No face in this frame." : "This frame is on its way: choose a face when it shows."); return; }
    const at = tracks.indexOf(this.chosen);
    this.choose(tracks[at < 0 ? (by > 0 ? 0 : tracks.length - 1) : (at + by + tracks.length) % tracks.length]);
  },

  /* Tracks in the order in which they begin; from the chosen one, else from this frame. */
  trackBy(by) {
    const tracks = [...this.tracks.values()].sort((a, b) => a.start - b.start || a.track - b.track);
    const at = tracks.findIndex((one) => one.track === this.chosen);
    const to = at >= 0 ? tracks[at + by] : by > 0 ? tracks.find((one) => one.start > this.index) : tracks.filter((one) => one.start < this.index).pop();
    if (!to) { this.say(by > 0 ? "No track begins after this." : "No track begins before this."); return; }
    this.choose(to.track);
    this.goTo(to.start);
  },

  trackEdge(end) {
    const track = this.track();
    if (track) this.goTo(end ? track.stop - 1 : track.start);
  },
});
