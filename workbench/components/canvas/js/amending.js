/* What a person changes: each becomes an amendment, which the page checks and writes. */

const REASON = { name: "reason", label: "Reason", type: "text", first: true };

Object.assign(Viewer.prototype, {
  /* One amendment for the page; `then` goes on at once, what is shown follows with the page's answer. */
  send(action, reason = "", then = "") {
    this.serial += 1;
    this.seen.tell();
    this.trigger("act", { action, reason, serial: this.serial, revision: this.data.revision, run: this.data.run, frame: this.index });
    this.say(then || "Saving");
  },

  mayAmend() {
    if (!this.data.rights.amend) this.say(this.data.rights.why || "You may look, not amend.", true);
    return this.data.rights.amend;
  },

  /* Whether another amendment can be begun: the box that is being drawn comes first. */
  mayBegin() {
    if (this.mayAmend() && this.draft) this.say("Save the box first, or discard it: Enter, Esc.", true);
    return this.data.rights.amend && !this.draft;
  },

  accept() {
    if (!this.mayBegin()) return;
    const spot = this.data.spots.find((one) => one.key === this.spot);
    if (!spot || spot.state !== "open") { this.say("Choose an open spot first: press n."); return; }
    spot.state = "accepted";
    this.send({ kind: "accept", spot: spot.key });
    this.lists.update(this.data);
    this.spotBy(1);
  },

  /* ---- boxes ---- */

  grabbed() { this.root.focus({ preventScroll: true }); },

  /* The box that a drag takes hold of; begins a draft where there is none. */
  held({ grip, track }) {
    if (!this.data.rights.amend || this.painted !== this.index) return null;
    if (this.draft) return grip || track === "-2" ? this.draft.box(this.index) : null;
    if (grip || (track !== undefined && track !== "-1")) {
      const face = this.face();
      if (face) this.draft = new Draft(face.track);
      return face ? face.box : null;
    }
    return null;
  },

  boxed(box, drag) {
    if (!this.data.rights.amend || this.painted !== this.index) return;
    if (!this.draft) this.draft = new Draft();
    if (!this.draft.adds && !drag.start) return;
    if (!this.draft.adds && !this.face0(this.draft.track)) { this.say("The track has no box in this frame: extend it first.", true); return; }
    this.draft.set(this.index, box);
    this.askDraft();
  },

  face0(track) { return this.current?.faces.some((face) => face.track === track); },

  /* A sighting of this frame that no mask covers: what the open spot is about, else the first. */
  sighting() {
    const found = this.painted === this.index ? this.current?.doubtful || [] : [];
    const spot = this.data.spots.find((one) => one.key === this.spot), meant = spot?.at === this.index ? spot.box : null;
    return found.find((one) => meant && one.box.every((edge, place) => Math.abs(edge - meant[place]) < 1)) || found[0] || null;
  },

  /* A new box: over the sighting that is not covered, else in the middle of what is seen. */
  drawInMiddle() {
    if (!this.mayBegin() || this.painted !== this.index) return;
    const sighting = this.sighting();
    this.choose(null);
    this.draft = new Draft();
    this.draft.set(this.index, (sighting && this.stage.clipped(sighting.box)) || this.stage.middleBox());
    this.askDraft();
  },

  resizeChosen() {
    if (!this.mayBegin() || !this.track()) return;
    const face = this.face();
    if (!face) { this.say("The track has no box in this frame."); return; }
    this.draft = new Draft(face.track);
    this.draft.set(this.index, face.box);
    this.askDraft();
  },

  nudge(x, y, resizes) {
    const box = this.draft.box(this.index);
    const moved = resizes ? this.stage.resized(box, "se", x, y) : this.stage.shifted(box, x, y);
    if (moved) { this.draft.set(this.index, moved); this.askDraft(); }
  },

  askDraft() {
    const draft = this.draft, title = draft.title, last = Math.max(...draft.frames);
    if (this.ask.open && this.ask.of === draft) {
      this.ask.form.querySelector("h3").textContent = title;
      const until = this.ask.form.elements.until;
      until.min = last;
      if (Number(until.value) < last) until.value = last;
    } else {
      this.ask.show({
        title, label: "Save (Enter)", focus: false, cancel: () => this.discard(),
        follow: draft.adds ? (index, { until }) => { until.value = Math.max(...draft.frames, index); } : null,
        fields: [{ name: "until", label: draft.adds ? "Keep it until frame" : "Until frame", type: "number", min: last, max: this.count - 1, value: last }, REASON],
        save: ({ until, reason }) => {
          if (until < Math.max(...draft.frames)) return `Keep it until frame ${Math.max(...draft.frames)} at least.`;
          this.draft = null;
          this.send(draft.action(until), reason);
          return "";
        },
      });
      this.ask.of = draft;
    }
    this.redraw();
  },

  /* The frames that the open form is about, first and last; null when there is none. */
  asked() {
    const { from, to, until } = (this.ask.open && this.ask.form.elements) || {};
    if (from && to) return [Number(from.value), Number(to.value)];
    return until && this.draft ? [this.draft.frames[0], Math.max(Number(until.value), ...this.draft.frames)] : null;
  },

  save() { if (this.ask.open) this.ask.submit(); },

  discard() {
    this.draft = null;
    this.ask.close();
    this.redraw();
  },

  /* ---- tracks and ranges ---- */

  askDelete() {
    if (!this.mayBegin()) return;
    const track = this.track();
    if (!track) return;
    const at = this.index, whole = [["whole", `whole track, frames ${track.start} to ${track.stop - 1}`]];
    if (this.face()) whole.push(["here", "this frame"], ["on", "from here on"], ["upto", "up to here"]);
    this.ask.show({
      title: `Delete track ${track.track}: what it follows is no face`, label: "Delete",
      fields: [{ name: "scope", label: "Frames", type: "choice", value: "whole", options: whole }, { ...REASON, hint: "for example: a poster" }],
      save: ({ scope, reason }) => {
        const [start, stop] = { whole: [track.start, track.stop], here: [at, at + 1], on: [at, track.stop], upto: [track.start, at + 1] }[scope];
        this.send({ kind: "delete", track: track.track, start, stop }, reason);
        return "";
      },
    });
  },

  askVisible() {
    if (!this.mayBegin()) return;
    const track = this.track();
    if (track) this.askRange({
      title: `Keep the person of track ${track.track} visible`, from: track.start, to: track.stop - 1, required: true,
      action: (start, stop) => ({ kind: "keep_visible", track: track.track, start, stop }),
    });
  },

  /* Up to the frame that one steps to while the form is open. */
  askExtend() {
    if (!this.mayBegin()) return;
    const track = this.track();
    if (!track) return;
    if (!track.start && track.stop === this.count && this.face()) { this.say("The track goes from the first frame to the last."); return; }
    const [from, to] = this.reach(track, this.index) || this.aLittle(track);
    this.askRange({
      title: `Extend track ${track.track}: step to the frame that it should reach`, from, to, focus: false,
      follow: (index) => this.reach(track, index),
      action: (start, stop) => ({ kind: "extend", track: track.track, start, stop }),
    });
  },

  /* First and last frame that a track lacks up to another frame; null where it has a face there. */
  reach(track, index) {
    if (index >= track.stop) return [track.stop, index];
    if (index < track.start) return [index, track.start - 1];
    const [start, stop] = this.gap(track, index) || [0, 0];
    return stop ? [start, stop - 1] : null;
  },

  /* Half a second at the nearer end. */
  aLittle(track) {
    const back = track.stop === this.count || (track.start > 0 && this.index - track.start < track.stop - 1 - this.index);
    return back ? [Math.max(0, track.start - 12), track.start - 1] : [track.stop, Math.min(this.count, track.stop + 12) - 1];
  },

  gap(track, index) {
    let at = track.start;
    for (const [kind, length] of track.runs) {
      if (kind === "-" && index >= at && index < at + length) return [at, at + length];
      at += length;
    }
    return null;
  },

  /* From this frame to the one that one steps to while the form is open. */
  askCover() {
    if (!this.mayBegin()) return;
    const mark = this.index;
    this.askRange({
      title: "Blur whole frames: step to the last frame of the range", from: mark, to: mark, focus: false,
      follow: (index) => [Math.min(mark, index), Math.max(mark, index)],
      action: (start, stop) => ({ kind: "cover", start, stop }),
    });
  },

  askRange({ title, from, to, action, required = false, focus = true, follow = null }) {
    const limits = { type: "number", min: 0, max: this.count - 1 };
    this.ask.show({
      title, focus, label: focus ? "Save" : "Save (Enter)",
      follow: follow && ((index, { from: first, to: last }) => {
        const range = follow(index);
        if (range) [first.value, last.value] = range;
      }),
      fields: [{ name: "from", label: "From frame", value: from, ...limits }, { name: "to", label: "To frame", value: to, ...limits }, { ...REASON, required, label: required ? "Reason (needed)" : "Reason" }],
      save: (values) => {
        if (values.to < values.from) return "The last frame comes before the first.";
        this.send(action(values.from, values.to + 1), values.reason);
        return "";
      },
    });
  },

  askFrame() {
    this.part("frame").focus();
    this.part("frame").select();
  },

  undo(number) { if (this.mayBegin()) this.send({ kind: "undo", amendment: number }); },

  undoLast() {
    const last = this.data.amendments.filter((one) => !one.undone && one.kind !== "undo").pop();
    if (last) this.undo(last.number); else this.say("There is nothing to undo.");
  },
});
