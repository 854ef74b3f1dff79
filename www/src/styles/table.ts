import { css } from 'lit';

/** A table of numbers that may be wider than its place: it scrolls, its caption and the names of its rows stay. */
export const table = css`
  .scroll {
    position: relative;
    overflow-x: auto;
    container-type: inline-size;
  }
  table {
    border-collapse: collapse;
    font-size: 0.88em;
    font-variant-numeric: tabular-nums;
  }
  caption {
    position: sticky;
    inset-inline-start: 0;
    width: min(60em, 100cqi);
    padding-bottom: 0.5em;
    color: var(--soft);
    text-align: start;
  }
  th,
  td {
    padding: 0.35em 1.2em 0.35em 0;
    border-bottom: 1px solid var(--line);
    text-align: end;
  }
  thead th {
    color: var(--soft);
    font-weight: 600;
    line-height: 1.25;
    vertical-align: bottom;
  }
  th:first-child {
    position: sticky;
    inset-inline-start: 0;
    z-index: 1;
    max-width: 40cqi;
    background: var(--card);
    text-align: start;
  }
  tbody th {
    font-weight: 400;
  }
`;
