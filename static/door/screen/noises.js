// Sound and buzz of a result: one high, two low, or one long low. A tablet without either loses
// nothing: the panel says the same.

const NOISES = {
  high: { tones: [[0, 0.12, 1200]], buzz: [250] },
  low: { tones: [[0, 0.12, 320], [0.2, 0.12, 320]], buzz: [100, 50, 100] },
  long: { tones: [[0, 0.5, 200]], buzz: [400] }
};
let audio = null;

export function noise(which, isLoud) {
  const made = NOISES[which];
  if (!made) return;
  try {
    if (navigator.vibrate) navigator.vibrate(made.buzz);
    if (isLoud) sound(made.tones);
  } catch (e) {
    // A browser may refuse either.
  }
}

function sound(tones) {
  const Audio = window.AudioContext || window.webkitAudioContext;
  if (!Audio) return;
  audio = audio || new Audio();
  if (audio.state === "suspended") audio.resume();
  tones.forEach(([start, length, pitch]) => {
    const tone = audio.createOscillator();
    const level = audio.createGain();
    tone.frequency.value = pitch;
    level.gain.value = 0.2;
    tone.connect(level);
    level.connect(audio.destination);
    tone.start(audio.currentTime + start);
    tone.stop(audio.currentTime + start + length);
  });
}
