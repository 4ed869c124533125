/* One clock for all videos: the first one leads, the others follow. Streamlit calls the default export at every rerun. */

const APART = 0.08;

class Player {
  constructor(parent) {
    this.at = (name) => parent.querySelector(`[data-at=${name}]`);
    this.root = parent.querySelector(".player");
    this.videos = [];
    this.told = "";
    this.at("play").onclick = () => this.toggle();
    this.at("back").onclick = () => this.step(-this.frame);
    this.at("on").onclick = () => this.step(this.frame);
    this.at("place").oninput = (event) => this.seek(Number(event.target.value) * this.length);
    this.at("sound").onchange = () => this.listen();
    this.root.onkeydown = (event) => this.key(event);
  }

  update({ videos, frame }) {
    this.frame = frame;
    const told = JSON.stringify(videos);
    if (told === this.told) return;
    this.told = told;
    this.end();
    this.at("views").replaceChildren(...videos.map((one) => this.view(one)));
    this.videos = [...this.at("views").querySelectorAll("video")];
    const names = videos.map((one, place) => Object.assign(document.createElement("option"), { value: place, textContent: one.label }));
    this.at("sound").replaceChildren(...names, Object.assign(document.createElement("option"), { value: -1, textContent: "none" }));
    this.at("sound").value = String(videos.length - 1);
    this.listen();
    this.lead.ontimeupdate = () => this.draw();
    this.lead.onended = () => { this.pause(); };
    this.draw();
  }

  view({ label, source, note }) {
    const figure = document.createElement("figure"), screen = document.createElement("div");
    const video = document.createElement("video"), trouble = document.createElement("div"), caption = document.createElement("figcaption");
    const name = document.createElement("b"), said = document.createElement("span");
    screen.className = "screen"; trouble.className = "trouble"; trouble.hidden = true; trouble.setAttribute("role", "status");
    Object.assign(video, { src: source, preload: "auto", playsInline: true, tabIndex: -1 });
    video.setAttribute("aria-label", label);
    const fail = () => { trouble.hidden = false; trouble.textContent = `This browser cannot play “${label}”. Download it and open it in a player.`; };
    video.onerror = fail;
    video.onloadedmetadata = () => {
      if (video.videoWidth) screen.style.setProperty("--shape", `${video.videoWidth} / ${video.videoHeight}`); else fail();
      this.draw();
    };
    name.textContent = label; said.textContent = note ? `: ${note}` : "";
    screen.append(video, trouble); caption.append(name, said); figure.append(screen, caption);
    return figure;
  }

  get lead() { return this.videos[0]; }
  get length() { return Number.isFinite(this.lead?.duration) ? this.lead.duration : 0; }

  toggle() { if (this.lead.paused) this.play(); else this.pause(); }

  play() {
    if (this.lead.ended) this.seek(0);
    this.videos.forEach((video) => { video.currentTime = this.lead.currentTime; video.play().catch(() => {}); });
    this.keeping = setInterval(() => this.keep(), 500);
    this.at("play").textContent = "Pause";
    this.draw();
  }

  pause() {
    clearInterval(this.keeping);
    this.videos.forEach((video) => video.pause());
    this.videos.slice(1).forEach((video) => { video.currentTime = this.lead.currentTime; });
    this.at("play").textContent = "Play";
    this.draw();
  }

  /* Videos of different files drift apart; one that has is put right. */
  keep() {
    this.videos.slice(1).forEach((video) => {
      if (Math.abs(video.currentTime - this.lead.currentTime) > APART) video.currentTime = this.lead.currentTime;
    });
  }

  step(seconds) { this.pause(); this.seek(this.lead.currentTime + seconds); }

  seek(seconds) {
    const to = Math.min(Math.max(0, seconds), Math.max(0, this.length - 0.001));
    this.videos.forEach((video) => { video.currentTime = to; });
    this.draw(to);
  }

  listen() {
    const heard = Number(this.at("sound").value);
    this.videos.forEach((video, place) => { video.muted = place !== heard; });
  }

  draw(now = this.lead?.currentTime ?? 0) {
    const place = this.at("place"), clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
    place.value = this.length ? now / this.length : 0;
    this.at("time").textContent = `${clock(now)} / ${clock(this.length)}`;
    place.setAttribute("aria-valuetext", this.at("time").textContent);
  }

  key(event) {
    if (event.target.matches("button, select") && event.key === " ") return;
    const acts = { " ": () => this.toggle(), k: () => this.toggle(), ",": () => this.step(-this.frame), ".": () => this.step(this.frame) };
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  end() {
    clearInterval(this.keeping);
    this.videos.forEach((video) => { video.pause(); video.removeAttribute("src"); video.load(); });
    this.videos = [];
  }
}

export default function player({ data, parentElement }) {
  if (!parentElement.player) parentElement.player = new Player(parentElement);
  const found = parentElement.player;
  clearTimeout(found.ending);
  found.update(data);
  return () => { found.ending = setTimeout(() => { found.end(); delete parentElement.player; }, 1500); };
}
