import { css } from 'lit';

/** Colours, sizes and rhythm, set on the playground and inherited by every element. Contrast is AA in both themes. */
export const tokens = css`
  :host {
    color-scheme: light dark;
    --paper: light-dark(#f8f7f4, #121418);
    --card: light-dark(#ffffff, #1a1d23);
    --sunk: light-dark(#f1efea, #23272e);
    --ink: light-dark(#1c2127, #eceef0);
    --soft: light-dark(#565d67, #a8afb9);
    --line: light-dark(#e2dfd8, #2e333b);
    --edge: light-dark(#868c94, #7b838e);
    --accent: light-dark(#0a6a5f, #62cfbd);
    --on-accent: light-dark(#ffffff, #05221d);
    --accent-soft: light-dark(#dff0ec, #17332e);
    --alarm: light-dark(#a3271d, #ff9d91);
    --alarm-soft: light-dark(#fbe9e6, #3a1d1a);
    --series-0: light-dark(#0a6a5f, #62cfbd);
    --series-1: light-dark(#b4530a, #f3a75c);
    --series-2: light-dark(#5b48b8, #ab9df2);
    --series-3: light-dark(#a12462, #f191c0);
    --series-4: light-dark(#2467ab, #82b9f3);
    --series-5: light-dark(#66700f, #c8d05f);
    --series-control: light-dark(#6b7077, #9aa1ab);
    --radius: 0.75rem;
    --gap: clamp(1rem, 0.6rem + 1.4vw, 2rem);
    --shadow: 0 1px 2px light-dark(#1c212712, #0006), 0 6px 24px light-dark(#1c21270a, #0003);
    font-family:
      ui-sans-serif,
      system-ui,
      -apple-system,
      'Segoe UI',
      Roboto,
      'Helvetica Neue',
      'Noto Sans',
      Arial,
      sans-serif;
    font-size: clamp(1rem, 0.7rem + 0.3vw, 1.6rem);
    line-height: 1.5;
    color: var(--ink);
    background: var(--paper);
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
`;
