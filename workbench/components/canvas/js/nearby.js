/* The frames around the one that is shown, small: the chosen face, or the whole picture. They do not count as seen. */

const EACH_SIDE = 3;
const NEARBY_HEIGHT = 104;
const NEARBY_REST = 120;
const ROOM_ROUND = 1.7;

Object.assign(Viewer.prototype, {
  toggleNearby() {
    const strip = this.part("nearby"), button = this.part("around");
    strip.hidden = !strip.hidden;
    button.setAttribute("aria-pressed", String(!strip.hidden));
    this.layout();
    this.drawNearby();
  },

  /* Once nobody goes on: each picture takes some milliseconds. */
  drawNearby() {
    clearTimeout(this.nearing);
    if (this.part("nearby").hidden || this.playing) return;
    this.nearing = setTimeout(() => this.paintNearby(this.token), NEARBY_REST);
  },

  /* Drawn for another width of the page, the pictures would be stretched. */
  fitNearby() {
    const canvas = this.part("nearby");
    if (!this.stage) return;
    if (canvas.width !== Math.round(canvas.clientWidth * (window.devicePixelRatio || 1))) this.drawNearby();
  },

  async paintNearby(token) {
    const canvas = this.part("nearby"), ratio = window.devicePixelRatio || 1, cell = canvas.clientWidth / (2 * EACH_SIDE + 1);
    if (!cell) return;
    Object.assign(canvas, { width: Math.round(canvas.clientWidth * ratio), height: Math.round(NEARBY_HEIGHT * ratio) });
    const context = canvas.getContext("2d", { alpha: false }), style = getComputedStyle(canvas);
    context.scale(ratio, ratio);
    for (let place = 0; place <= 2 * EACH_SIDE; place += 1) {
      const frame = this.index + place - EACH_SIDE;
      if (frame < 0 || frame >= this.count) continue;
      const blob = await this.stills.get(frame, this.lookOf(this.view === "after"), true).catch(() => null);
      const picture = blob && token === this.token ? await createImageBitmap(blob) : null;
      if (token !== this.token) { picture?.close(); return; }
      if (picture) this.putNearby(context, picture, frame, place * cell + 1, cell - 2);
      picture?.close();
      context.font = `600 11px ${style.fontFamily}`;
      context.fillStyle = "#000a";
      context.fillRect(place * cell + 1, 0, context.measureText(frame).width + 8, 15);
      context.fillStyle = "#fff";
      context.fillText(frame, place * cell + 5, 11);
      context.strokeStyle = style.getPropertyValue("--accent").trim();
      context.lineWidth = 3;
      if (frame === this.index) context.strokeRect(place * cell + 2.5, 1.5, cell - 5, NEARBY_HEIGHT - 3);
    }
    canvas.dataset.frame = this.index;
  },

  putNearby(context, picture, frame, x, width) {
    const face = this.faces.now(frame)?.faces.find((one) => one.track === this.chosen);
    const [left, top, right, bottom] = face?.box || this.subject() || [0, 0, this.data.width, this.data.height];
    const whole = !face && !this.subject(), across = (right - left) * (whole ? 1 : ROOM_ROUND), down = (bottom - top) * (whole ? 1 : ROOM_ROUND);
    const scale = Math.min(width / across, NEARBY_HEIGHT / down);
    context.save();
    context.beginPath();
    context.rect(x, 0, width, NEARBY_HEIGHT);
    context.clip();
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, x + width / 2 - scale * (left + right) / 2, NEARBY_HEIGHT / 2 - scale * (top + bottom) / 2, this.data.width * scale, this.data.height * scale);
    context.restore();
  },

  nearbyClicked(event) {
    const bounds = this.part("nearby").getBoundingClientRect();
    this.goTo(this.index - EACH_SIDE + Math.floor((event.clientX - bounds.left) / bounds.width * (2 * EACH_SIDE + 1)));
  },
});
