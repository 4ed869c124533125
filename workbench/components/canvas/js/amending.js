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

  accept() {
    if (!this.mayAmend()) return;
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

  drawInMiddle() {
    if (!this.mayAmend() || this.draft) return;
    const { width, height } = this.data, side = Math.round(Math.min(width, height) / 6);
    const x = Math.round(this.stage.left + (width / this.stage.zoom - side) / 2), y = Math.round(this.stage.top + (height / this.stage.zoom - side) / 2);
    this.choose(null);
    this.draft = new Draft();
    this.draft.set(this.index, [x, y, x + side, y + side]);
    this.askDraft();
  },

  resizeChosen() {
    if (!this.mayAmend() || this.draft || !this.track()) return;
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

  save() { if (this.draft && this.ask.open) this.ask.submit(); },

  discard() {
    this.draft = null;
    this.ask.close();
    this.redraw();
  },

  /* ---- tracks and ranges ---- */

  askDelete() {
    if (!this.mayAmend()) return;
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
    if (!this.mayAmend()) return;
    const track = this.track();
    if (track) this.askRange(`Keep the person of track ${track.track} visible`, track.start, track.stop - 1, true,
      (start, stop) => ({ kind: "keep_visible", track: track.track, start, stop }));
  },

  askExtend() {
    if (!this.mayAmend()) return;
    const track = this.track();
    if (!track) return;
    if (this.index >= track.stop) this.askRange(`Extend track ${track.track} to this frame`, track.stop, this.index, false, (start, stop) => ({ kind: "extend", track: track.track, start, stop }));
    else if (this.index < track.start) this.askRange(`Extend track ${track.track} back to this frame`, this.index, track.start - 1, false, (start, stop) => ({ kind: "extend", track: track.track, start, stop }));
    else if (!this.face()) {
      const [from, to] = this.gap(track);
      this.askRange(`Fill the gap of track ${track.track}`, from, to - 1, false, (start, stop) => ({ kind: "extend", track: track.track, start, stop }));
    } else {
      const room = this.count - track.stop;
      if (!room && !track.start) { this.say("The track goes from the first frame to the last."); return; }
      const back = !room || (track.start > 0 && this.index - track.start < track.stop - 1 - this.index);
      const [from, to] = back ? [Math.max(0, track.start - 12), track.start - 1] : [track.stop, Math.min(this.count, track.stop + 12) - 1];
      this.askRange(`Extend track ${track.track} ${back ? "backwards" : "forwards"}; or step to the frame it should reach, and press e there`, from, to, false,
        (start, stop) => ({ kind: "extend", track: track.track, start, stop }));
    }
  },

  gap(track) {
    let at = track.start;
    for (const [kind, length] of track.runs) {
      if (kind === "-" && this.index >= at && this.index < at + length) return [at, at + length];
      at += length;
    }
    return [this.index, this.index + 1];
  },

  /* The first b marks where a range begins, a b elsewhere ends it. */
  askCover() {
    if (!this.mayAmend()) return;
    const from = Math.min(this.mark ?? this.index, this.index), to = Math.max(this.mark ?? this.index, this.index);
    this.mark = this.mark === null ? this.index : null;
    this.askRange(from === to ? "Blur whole frames; or close this, step to the last frame of the range, and press b again" : "Blur whole frames", from, to, false,
      (start, stop) => { this.mark = null; return { kind: "cover", start, stop }; });
  },

  askRange(title, from, to, required, action) {
    const limits = { type: "number", min: 0, max: this.count - 1 };
    this.ask.show({
      title,
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

  undo(number) { if (this.mayAmend()) this.send({ kind: "undo", amendment: number }); },

  undoLast() {
    const last = this.data.amendments.filter((one) => !one.undone && one.kind !== "undo").pop();
    if (last) this.undo(last.number); else this.say("There is nothing to undo.");
  },
});
