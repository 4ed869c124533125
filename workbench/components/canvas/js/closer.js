/* Looking closer: the part of the picture that is on screen follows what is looked at. */

const SHARE = 0.35;

Object.assign(Viewer.prototype, {
  /* What is looked at: the box that is drawn, the chosen face, or what the open spot is about. */
  subject() {
    const drawn = this.draft?.box(this.index), face = this.face();
    if (drawn || face) return drawn || face.box;
    const spot = this.data.spots.find((one) => one.key === this.spot);
    return spot && this.index >= spot.start && this.index < spot.stop ? spot.box : null;
  },

  zoomBy(factor) { this.stage.zoomOn(this.stage.zoom * factor, this.subject()); },

  /* The subject large in the middle; once more, the whole picture. */
  closer() {
    if (this.stage.zoom > 1.01) { this.stage.zoomTo(1); return; }
    const box = this.subject();
    if (box) this.stage.zoomOn(this.stage.zoomFor(box, SHARE), box);
    else this.say("Choose a face or open a spot first: press f or n.");
  },

  /* While it is looked at closely, the subject stays on screen. */
  keepInView() {
    const box = this.subject();
    if (this.stage.zoom > 1.01 && box && !this.stage.shows(box)) this.stage.centre(box);
  },

  zoomed() {
    this.part("zoom").textContent = this.stage.zoom > 1.01 ? `${Math.round(100 * this.stage.zoom)} %` : "Fit";
    this.stage.paint();
    this.redraw();
    clearTimeout(this.sharpening);
    this.sharpening = setTimeout(() => { if (!this.playing) this.show(this.index); }, 200);
  },
});
