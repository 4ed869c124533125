/* The viewer: where a person is, what is chosen, what is drawn; steps without asking Streamlit. */

const LEFT_FOR_REST = 330;
const LEAST_HEIGHT = 260;

class Viewer {
  constructor(root) {
    this.root = root.querySelector(".review");
    this.part = (name) => this.root.querySelector(`[data-at="${name}"]`);
    this.view = "before";
    this.chosen = null;
    this.spot = null;
    this.draft = null;
    this.scrubbed = null;
    this.playing = 0;
    this.direction = 1;
    this.painted = null;
    this.token = 0;
    this.serial = 0;
    this.ask = new Ask(this.part("ask"), {
      back: () => { this.root.focus({ preventScroll: true }); this.redraw(); }, changed: () => this.redraw(),
    });
    this.lists = new Lists(this.part, {
      spot: (key) => this.openSpot(key), frame: (frame, track) => { this.choose(track); this.goTo(frame); }, undo: (number) => this.undo(number),
    });
    this.listen();
  }

  listen() {
    this.onKey = (event) => {
      const inside = event.composedPath().includes(this.root), active = document.activeElement;
      if (!inside && active && active !== document.body) return;
      if (this.data && this.data.frames && pressed(this, event)) { event.preventDefault(); event.stopImmediatePropagation(); }
    };
    window.addEventListener("keydown", this.onKey, true);
    this.root.addEventListener("click", (event) => this.clicked(event));
    this.part("nearby").addEventListener("click", (event) => this.nearbyClicked(event));
    this.part("frame").addEventListener("change", () => this.goTo(Number(this.part("frame").value)));
    this.resized = new ResizeObserver(() => { this.layout(); this.fitNearby(); });
    this.resized.observe(this.root);
    this.onResize = () => this.layout();
    window.addEventListener("resize", this.onResize);
  }

  end() {
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("resize", this.onResize);
    this.resized.disconnect();
    clearTimeout(this.addressing);
    this.pause();
    this.seen?.end();
    this.stills?.clear();
    this.stage?.show(null, null);
  }

  clicked(event) {
    const { do: what, view, tab } = event.target.closest("button")?.dataset || {};
    if (view) this.look(view);
    if (tab) this.tab(tab);
    const doing = {
      back: () => this.step(-1), on: () => this.step(1), back10: () => this.step(-10), on10: () => this.step(10),
      prevSpot: () => this.spotBy(-1), nextSpot: () => this.spotBy(1), zoomIn: () => this.zoomBy(1.5), play: () => this.play(),
      zoomOut: () => this.zoomBy(1 / 1.5), closer: () => this.closer(), nearby: () => this.toggleNearby(), fit: () => this.stage.zoomTo(1), draw: () => this.drawInMiddle(),
      cover: () => this.askCover(), help: () => this.toggleHelp(), span: () => this.toggleSpan(), accept: () => this.accept(),
      delete: () => this.askDelete(), extend: () => this.askExtend(), visible: () => this.askVisible(), resize: () => this.resizeChosen(),
    };
    if (what) doing[what]();
  }

  /* ---- what Streamlit says ---- */

  update(data, trigger) {
    const first = !this.data || this.data.run !== data.run;
    this.trigger = trigger;
    this.data = data;
    if (first) this.begin(data);
    this.faces.at(data.revision);
    this.tracks = new Map(data.tracks.map((track) => [track.track, track]));
    this.timeline.update(data);
    this.lists.update(data);
    if (this.spot && !data.spots.some((spot) => spot.key === this.spot)) this.spot = null;
    for (const button of this.root.querySelectorAll(".amending button")) {
      button.disabled = !data.rights.amend;
      if (!data.rights.amend) button.title = data.rights.why;
    }
    if (data.message && data.message.serial !== this.told) {
      this.told = data.message.serial;
      this.say(data.message.text, data.message.bad);
    }
    this.lists.mark(this.spot);
    this.layout();
    if (first) {
      this.chosen = data.at.track;
      this.goTo(data.at.frame ?? 0);
    } else this.show(this.index);
  }

  begin(data) {
    this.count = data.frames;
    this.stills?.clear();
    this.seen?.end();
    this.stills = new Stills(data.urls.stills);
    this.faces = new Faces(data.urls.frames, data.frames);
    this.seen = new Seen(data.urls.seen, data.seen, data.seen_by_anybody, data.frames);
    this.stage = new Stage(this.part, { width: data.width, height: data.height }, {
      choose: (track) => this.choose(track), redraw: () => this.redraw(), zoomed: () => this.zoomed(), grabbed: () => this.grabbed(),
      held: (drag) => this.held(drag), boxed: (box, drag) => this.boxed(box, drag),
    });
    this.timeline = new Timeline(this.part("timeline"), data.frames, { go: (frame) => this.goTo(frame), scrub: (frame) => this.scrub(frame), hover: (frame) => this.hover(frame) });
    this.index = 0;
    this.part("frame").max = data.frames - 1;
    this.part("of").textContent = `of ${data.frames}`;
    this.tab("spots");
    this.look("before");
    this.root.focus({ preventScroll: true });
  }

  layout() {
    if (!this.stage) return;
    const width = this.part("stage").clientWidth;
    if (!width) return;
    this.stage.layout(width, Math.max(LEAST_HEIGHT, window.innerHeight - LEFT_FOR_REST - (this.part("nearby").hidden ? 0 : NEARBY_HEIGHT)));
    this.redraw();
  }

  /* ---- what is shown ---- */

  lookOf(after) {
    const side = Math.ceil(this.stage.side);
    const step = [640, 960, 1280, 1920, 2560].find((size) => size >= side) || "";
    const size = step ? `side=${step}` : "side=99999";
    return after ? `${size}&masked=1&style=${encodeURIComponent(this.data.style)}&at=${this.data.revision.slice(0, 12)}` : size;
  }

  get looks() { return { before: [false], after: [true], split: [false, true] }[this.view]; }

  async show(index) {
    const token = (this.token += 1), began = performance.now();
    this.stills.only(index);
    this.ask.follow(index);
    this.index = index;
    this.waiting = true;
    this.part("frame").value = index;
    this.part("time").textContent = this.timeOf(index);
    const slow = setTimeout(() => this.wait(true), 150);
    try {
      const looks = this.looks;
      const [faces, ...blobs] = await Promise.all([this.faces.get(index), ...looks.map((after) => this.stills.get(index, this.lookOf(after)))]);
      if (token !== this.token) return;
      const pictures = await Promise.all(blobs.map((blob) => createImageBitmap(blob)));
      if (token !== this.token) { for (const picture of pictures) picture.close(); return; }
      this.current = faces;
      this.part("time").textContent = this.timeOf(index);
      this.stage.slider.hidden = this.view !== "split";
      this.stage.show(looks.includes(false) ? pictures[0] : null, looks.includes(true) ? pictures[pictures.length - 1] : null);
      this.part("failure").hidden = true;
      this.painted = index;
      this.seen.add(index);
      this.keepInView();
      this.redraw();
      this.root.dataset.frame = index;
      this.root.dataset.latency = (performance.now() - began).toFixed(1);
      this.faces.ahead(index);
      this.drawNearby();
    } catch (error) {
      if (token !== this.token) return;
      this.fail(error.message);
    } finally {
      clearTimeout(slow);
      if (token === this.token) {
        this.waiting = false;
        this.wait(false);
        if (this.scrubbed !== null) this.goTo(this.scrubbed);
        else this.stills.want(this.near(index));
        this.address();
      }
    }
  }

  /* The frame before stays in sight, but nobody should take it for the one that is decoded. */
  wait(waits) {
    this.part("loading").hidden = !waits;
    this.part("stage").classList.toggle("waiting", waits);
  }

  fail(sentence) {
    this.painted = null;
    this.part("failure").textContent = sentence;
    this.part("failure").hidden = false;
  }

  /* The address follows, so that it can be copied; Streamlit reads it with the next rerun. */
  address() {
    clearTimeout(this.addressing);
    this.addressing = setTimeout(() => {
      const url = new URL(window.location.href);
      url.searchParams.set("frame", this.index);
      if (this.chosen === null) url.searchParams.delete("track"); else url.searchParams.set("track", this.chosen);
      window.history.replaceState(window.history.state, "", url);
    }, 250);
  }

  timeOf(index) {
    const told = this.faces?.now(index)?.t ?? index * this.data.step;
    const minutes = Math.floor(told / 60);
    return `${minutes}:${(told - 60 * minutes).toFixed(2).padStart(5, "0")}`;
  }

  /* The chosen track, or the only face of the frame. */
  track() {
    const faces = this.current?.faces || [];
    if (this.chosen === null && faces.length === 1) this.choose(faces[0].track);
    const track = this.chosen === null ? null : this.tracks.get(this.chosen);
    if (!track) this.say("Choose a face first: click its box, or press f.");
    return track || null;
  }

  face() { return this.current?.faces.find((face) => face.track === this.chosen) || null; }

  choose(track) {
    if (track === -1) return;
    this.chosen = track ?? null;
    this.drawNearby();
    this.redraw();
    this.address();
  }

  look(view) {
    this.view = view;
    for (const button of this.root.querySelectorAll("[data-view]")) button.setAttribute("aria-checked", String(button.dataset.view === view));
    if (this.painted !== null) this.show(this.index);
  }

  tab(name) {
    for (const button of this.root.querySelectorAll("[data-tab]")) button.setAttribute("aria-selected", String(button.dataset.tab === name));
    for (const list of ["spots", "amendments"]) this.part(list).hidden = list !== name;
  }

  toggleSpan() {
    this.timeline.around = !this.timeline.around;
    this.part("span").textContent = this.timeline.around ? "Whole video" : "Around this frame";
    this.redraw();
  }

  get helpOpen() { return !this.part("help").hidden; }

  toggleHelp() {
    const help = this.part("help");
    if (help.hidden) help.replaceChildren(...helpOf(() => this.toggleHelp()));
    help.hidden = !help.hidden;
    if (help.hidden) this.root.focus({ preventScroll: true }); else help.querySelector("button").focus();
  }

  say(text, bad = false) {
    const says = this.part("says");
    says.textContent = text;
    says.classList.toggle("bad", Boolean(bad));
  }

  /* ---- drawing over ---- */

  redraw() {
    if (!this.stage || !this.data) return;
    this.stage.paint();
    this.stage.outline(this.painted === this.index ? this.outlined() : []);
    this.timeline.draw(this.index, { seen: this.seen.flags, chosen: this.chosen, spot: this.spot, asked: this.asked() }, (frame) => this.timeOf(frame));
    this.lists.count(this.seen, this.count);
    this.describe();
  }

  outlined() {
    const held = this.draft && !this.draft.adds ? this.draft.track : null;
    const faces = this.current?.faces.filter((face) => face.track !== held).map((face) => ({
      box: face.box, track: face.track, tone: face.origin, visible: face.visible, chosen: face.track === this.chosen && !this.draft,
      held: face.track === this.chosen && !this.draft && this.data.rights.amend, short: String(face.track), label: this.labelOf(face),
      said: `Track ${face.track}, ${face.visible ? "kept visible" : face.origin}${face.seen ? `, ${seenBy(face.seen)}` : ""}`,
    })) || [];
    const doubtful = (this.current?.doubtful || []).map((one) => ({
      box: one.box, track: -1, tone: "doubtful", short: "not covered", label: `not covered · ${seenBy(one.seen)}`, said: `Doubtful sighting, not covered, ${seenBy(one.seen)}`,
    }));
    const box = this.draft?.box(this.index);
    const draft = box ? [{ box, track: -2, tone: "draft", chosen: true, held: true, short: "new", label: this.draft.adds ? "new face" : `track ${this.draft.track}`, said: "The box that is being drawn" }] : [];
    return [...doubtful, ...faces, ...draft];
  }

  labelOf(face) {
    if (face.visible) return `${face.track} · visible`;
    return `${face.track} · ${face.seen ? seenBy(face.seen) : face.origin}`;
  }

  describe() {
    const place = this.part("selection"), face = this.face(), track = this.chosen === null ? null : this.tracks.get(this.chosen);
    const spot = this.data.spots.find((one) => one.key === this.spot), sighting = this.sighting();
    const shown = JSON.stringify([this.index, this.painted, this.chosen, face, track, this.current?.covered, sighting, this.data.revision, this.spot, spot?.state]);
    if (shown === this.described) return;
    this.described = shown;
    const said = [], may = this.data.rights.amend;
    if (this.current?.covered) said.push(element("span", { className: "what" }, this.current.covered === "record" ? "This frame is damaged or was covered when it was recorded; it is covered whole." : "This frame is covered whole."));
    if (track) {
      said.push(element("span", { className: "what" }, `Track ${track.track}`), element("span", { className: "quiet" }, `frames ${track.start}–${track.stop - 1}`),
        element("span", {}, face ? (face.visible ? "kept visible" : face.origin) : "not in this frame"));
      if (face?.seen) said.push(element("span", { className: "quiet" }, face.seen.map(([name, score]) => `${name} ${score.toFixed(3)}`).join(", ")));
    } else if (this.painted === this.index && !this.current?.covered) {
      const count = this.current?.faces.length || 0;
      said.push(element("span", { className: "quiet" }, count ? `${count === 1 ? "1 face" : `${count} faces`} in this frame.` : "No face in this frame."));
    }
    const button = (what, text, title, name = "") => element("button", { dataset: { do: what }, title, className: name }, text), does = [];
    if (may && track) does.push(button("extend", "Extend", "Up to this frame (e)"), button("visible", "Keep visible", "Show this person (k)"), button("delete", "Delete", "No face (x)"));
    if (may && sighting && !track) does.push(button("draw", "Cover the sighting", "A new face in its place (d)"));
    if (may && spot?.state === "open") does.push(button("accept", "Accept spot", "Looked at, right as it is (a)", "main"));
    place.replaceChildren(...said, ...(does.length ? [element("span", { className: "spacer" }), ...does] : []));
  }

  escape() {
    if (this.helpOpen) this.toggleHelp();
    else if (this.ask.open) this.ask.close();
    else if (this.draft) this.discard();
    else if (this.playing) this.pause();
    else this.choose(null);
  }
}

function seenBy(seen) { return seen.map(([name, score]) => `${name} ${score.toFixed(2)}`).join(" · "); }
