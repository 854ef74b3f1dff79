import { css } from 'lit';

/**
 * Lines of charts, told apart by colour and dashes: `s0` to `s5` for explanations, `scontrol-0` to `scontrol-3`. Where six
 * are not enough, they come again `dotted` and `fine`.
 */
export const lineStyles = css`
  .line {
    fill: none;
    stroke-width: 2.5;
    stroke-linejoin: round;
  }
  .s0 {
    stroke: var(--series-0);
  }
  .s1 {
    stroke: var(--series-1);
    stroke-dasharray: 12 3;
  }
  .s2 {
    stroke: var(--series-2);
    stroke-dasharray: 8 3 2 3;
  }
  .s3 {
    stroke: var(--series-3);
    stroke-dasharray: 5 3;
  }
  .s4 {
    stroke: var(--series-4);
    stroke-dasharray: 14 3 3 3;
  }
  .s5 {
    stroke: var(--series-5);
    stroke-dasharray: 3 3;
  }
  .dotted {
    stroke-width: 3;
    stroke-linecap: round;
    stroke-dasharray: 0.5 6;
  }
  .fine {
    stroke-width: 1.5;
    stroke-dasharray: 18 3 2 3 2 3;
  }
  [class*='scontrol'] {
    stroke: var(--series-control);
    stroke-width: 1.75;
  }
  .scontrol-0 {
    stroke-dasharray: 2 3;
  }
  .scontrol-1 {
    stroke-dasharray: 7 4;
  }
  .scontrol-2 {
    stroke-dasharray: 10 3 2 3;
  }
  .scontrol-3 {
    stroke-dasharray: 1 4;
  }
`;
