// Copyright 2026 The apprentice authors. SPDX-License-Identifier: Apache-2.0
// Keep videos, slider and curves of an episode at one frame. What is shown stands in attributes of
// <body> too: data-ready (videos), data-curves, data-frame; of each video data-width, data-duration.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const last = data.length - 1;
const seconds = data.length / data.fps;
const videos = [...document.querySelectorAll('video')];
const slider = document.getElementById('slider');
const play = document.getElementById('play');
const speed = document.getElementById('speed');
const LEFT = 56, RIGHT = 8, TOP = 6, BOTTOM = 20;
// Videos that are further apart than this many seconds are brought together while they play.
const APART = 0.15;
let frame = 0;
// The time, in s, and the clock when it began to run; null while it stands.
let running = null;

function element(name, attributes, ...children) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) one.setAttribute(key, value);
  one.append(...children);
  return one;
}

// ---- Numbers

// Return a round step that gives about `count` steps.
function roundStep(range, count) {
  const rough = range / count, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
}

function text(value) {
  if (value === null || value === undefined) return 'none';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(2);
  return String(+value.toPrecision(5));
}

// Return the point of the curves that is shown at a frame.
function pointAt(number) {
  if (!data.frames) return number;
  return Math.min(data.frames.length - 1, Math.floor(number / data.step) * 2 + (number % data.step * 2 >= data.step ? 1 : 0));
}

// ---- Curves

class Plot {
  constructor(plot) {
    this.lines = plot.lines.map((line, place) => ({ ...line, shown: true, place }));
    this.canvas = element('canvas', { role: 'img', 'aria-label': `curves of ${plot.title}` });
    this.cursor = element('div', { class: 'cursor' });
    this.area = element('div', { class: 'area' }, this.canvas, this.cursor);
    this.node = element('section', { class: 'plot' }, element('h2', {}, plot.title), this.legend(), this.area);
    const seek = event => {
      if (event.type === 'pointermove' && !(event.buttons & 1)) return;
      const box = this.area.getBoundingClientRect();
      const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
      show(Math.round(part * last), true);
    };
    this.area.addEventListener('pointerdown', seek);
    this.area.addEventListener('pointermove', seek);
  }

  legend() {
    const legend = element('div', { class: 'legend' });
    for (const line of this.lines) {
      const mark = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      mark.setAttribute('width', 22);
      mark.setAttribute('height', 8);
      mark.innerHTML = `<line x1="0" y1="4" x2="22" y2="4" style="stroke:var(--c${line.place % 8})" stroke-width="2.5"` +
        ` stroke-dasharray="${dashes(line).join(' ')}"/>`;
      line.value = element('output');
      const button = element('button', { type: 'button', 'aria-pressed': 'true' }, mark, line.label, line.value);
      button.addEventListener('click', () => {
        line.shown = !line.shown;
        button.setAttribute('aria-pressed', line.shown);
        this.draw();
      });
      legend.append(button);
    }
    return legend;
  }

  draw() {
    const width = this.area.clientWidth, height = this.area.clientHeight, ratio = window.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext('2d');
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name).trim();
    const [low, high] = this.limits();
    const x = number => LEFT + (last ? number / last : 0) * (width - LEFT - RIGHT);
    const y = value => TOP + (high - value) / (high - low) * (height - TOP - BOTTOM);
    pen.font = '11px system-ui, sans-serif';
    pen.lineWidth = 1;
    pen.strokeStyle = colour('--grid');
    pen.fillStyle = colour('--soft');
    this.axes(pen, low, high, x, y, width, height);
    for (const line of this.lines) {
      if (!line.shown) continue;
      pen.strokeStyle = colour(`--c${line.place % 8}`);
      pen.lineWidth = 1.6;
      pen.setLineDash(dashes(line));
      this.curve(pen, line.values, x, y);
    }
    this.place();
  }

  limits() {
    let low = Infinity, high = -Infinity;
    for (const line of this.lines) {
      if (!line.shown) continue;
      for (const value of line.values) {
        if (value === null) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low > high) return [0, 1];
    const spare = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
    return [low - spare, high + spare];
  }

  axes(pen, low, high, x, y, width, height) {
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    const step = roundStep(high - low, 5);
    for (let count = Math.ceil(low / step); count * step <= high; count++) {
      const at = Math.round(y(count * step)) + 0.5;
      segment(pen, LEFT, at, width - RIGHT, at);
      pen.fillText(text(+(count * step).toPrecision(12)), LEFT - 5, at);
    }
    pen.textAlign = 'center';
    pen.textBaseline = 'top';
    const tick = roundStep(seconds, Math.max(2, width / 70));
    for (let count = 0; count * tick * data.fps <= last; count++) {
      const at = Math.round(x(count * tick * data.fps)) + 0.5;
      segment(pen, at, TOP, at, height - BOTTOM);
      pen.fillText(`${+(count * tick).toPrecision(6)} s`, Math.min(at, width - RIGHT - 8), height - BOTTOM + 5);
    }
  }

  curve(pen, values, x, y) {
    pen.beginPath();
    let open = false;
    values.forEach((value, place) => {
      if (value === null) {
        open = false;
        return;
      }
      const at = x(data.frames ? data.frames[place] : place);
      if (open) pen.lineTo(at, y(value));
      else pen.moveTo(at, y(value));
      // A point between gaps is seen too.
      if (!open && (values[place + 1] === null || values.length === 1)) pen.lineTo(at + 1, y(value));
      open = true;
    });
    pen.stroke();
  }

  place() {
    const part = last ? frame / last : 0;
    this.cursor.style.transform = `translateX(${LEFT + part * (this.area.clientWidth - LEFT - RIGHT)}px)`;
    const point = pointAt(frame);
    for (const line of this.lines) line.value.textContent = text(line.values[point]);
  }
}

// Told apart without colours as well.
function dashes(line) {
  return [[], [6, 3], [2, 2], [8, 3, 2, 3]][line.place % 4];
}

function segment(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

// ---- Texts

const words = data.texts.map(one => {
  const said = element('dd');
  document.getElementById('texts').append(element('div', {}, element('dt', {}, one.name), said));
  return { spans: one.spans, said };
});

function say() {
  for (const { spans, said } of words) {
    let found = '';
    for (const [first, words] of spans) if (first <= frame) found = words;
    if (said.textContent !== found) said.textContent = found;
  }
}

// ---- Time

// Show a frame; `seek` brings the videos there.
function show(number, seek) {
  frame = Math.max(0, Math.min(last, number));
  slider.value = frame;
  document.body.dataset.frame = frame;
  document.getElementById('clock').textContent = `${frame} / ${last} · ${(frame / data.fps).toFixed(2)} s`;
  for (const plot of plots) plot.place();
  say();
  if (!seek) return;
  // The middle of a frame: at its edge rounding could show its neighbour.
  for (const video of videos) video.currentTime = (frame + 0.5) / data.fps;
  if (running) running = { from: frame / data.fps, since: performance.now() };
}

function now() {
  const video = videos.find(one => !one.error && one.readyState > 1);
  if (video) return video.currentTime;
  return running.from + (performance.now() - running.since) / 1000 * speed.value;
}

function step() {
  if (!running) return;
  const time = now();
  for (const video of videos) {
    if (!video.seeking && Math.abs(video.currentTime - time) > APART) video.currentTime = time;
  }
  show(Math.floor(time * data.fps + 1e-3), false);
  if (time >= seconds - 0.5 / data.fps || videos.some(video => video.ended)) {
    stop();
    show(last, false);
  } else requestAnimationFrame(step);
}

function start() {
  if (frame === last) show(0, true);
  running = { from: frame / data.fps, since: performance.now() };
  for (const video of videos) {
    video.playbackRate = speed.value;
    video.play().catch(() => {});
  }
  play.textContent = 'Pause';
  requestAnimationFrame(step);
}

function stop() {
  running = null;
  for (const video of videos) video.pause();
  play.textContent = 'Play';
}

// ---- The page

const plots = data.plots.map(plot => new Plot(plot));
document.getElementById('plots').append(...plots.map(plot => plot.node));
document.body.dataset.curves = plots.reduce((sum, plot) => sum + plot.lines.length, 0);
document.body.dataset.ready = 0;
document.body.dataset.failed = 0;

for (const video of videos) {
  const ready = () => {
    video.dataset.width = video.videoWidth;
    video.dataset.duration = video.duration;
    document.body.dataset.ready = videos.filter(one => one.dataset.width).length;
  };
  const failed = () => {
    if (video.dataset.failed) return;
    video.dataset.failed = 'yes';
    document.body.dataset.failed = videos.filter(one => one.dataset.failed).length;
    video.parentNode.append(element('div', { class: 'failed' }, 'This browser cannot play this video.'));
  };
  // Both may have happened before this script ran.
  if (video.readyState > 1) ready();
  else video.addEventListener('loadeddata', ready, { once: true });
  if (video.error) failed();
  else video.addEventListener('error', failed);
  video.addEventListener('seeked', () => { video.dataset.time = video.currentTime; });
}
play.addEventListener('click', () => running ? stop() : start());
slider.addEventListener('input', () => show(+slider.value, true));
speed.addEventListener('change', () => {
  if (running) running = { from: frame / data.fps, since: performance.now() };
  for (const video of videos) video.playbackRate = speed.value;
});
document.addEventListener('keydown', event => {
  if (event.target.closest('button, select') || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ' ') play.click();
  else if (event.key === 'ArrowLeft' && event.target !== slider) show(frame - 1, true);
  else if (event.key === 'ArrowRight' && event.target !== slider) show(frame + 1, true);
  else return;
  event.preventDefault();
});

function redraw() {
  for (const plot of plots) plot.draw();
}
new ResizeObserver(redraw).observe(document.getElementById('plots'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
redraw();
show(0, false);
