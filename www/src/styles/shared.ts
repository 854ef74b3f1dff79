import { css } from 'lit';

/** What every element uses: reset, type, buttons and form fields. */
export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
    min-width: 0;
  }
  /* Nothing to show now: out of the flow, so that it leaves no gap, yet alive for assistive technology. */
  :host([empty]) {
    position: absolute;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  h2,
  h3,
  h4,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset,
  legend {
    margin: 0;
    padding: 0;
    border: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h3 {
    font-size: 1em;
    font-weight: 650;
  }
  .soft {
    color: var(--soft);
  }
  .small {
    font-size: 0.85em;
    line-height: 1.45;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5em 0.75em;
  }
  .stack {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.75em;
    min-width: 0;
  }
  .grow {
    flex: 1 1 auto;
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4em;
    min-height: 2.25em;
    padding: 0.3em 0.9em;
    border: 1px solid var(--edge);
    border-radius: 99em;
    background: var(--card);
    color: var(--ink);
    cursor: pointer;
    text-align: center;
  }
  button:hover,
  .button:hover {
    border-color: var(--accent);
    color: var(--accent);
  }
  button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
    padding-inline: 1.4em;
  }
  button.primary:hover {
    filter: brightness(1.08);
  }
  button.quiet {
    border-color: transparent;
    background: transparent;
    padding-inline: 0.5em;
    color: var(--soft);
  }
  button.quiet:hover {
    color: var(--accent);
  }
  button:disabled,
  button[aria-disabled='true'] {
    opacity: 0.55;
    cursor: not-allowed;
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  input:not([type='range'], [type='checkbox'], [type='radio'], [type='file']),
  select {
    width: 100%;
    min-height: 2.25em;
    padding: 0.25em 0.6em;
    border: 1px solid var(--edge);
    border-radius: 0.5em;
    background: var(--card);
  }
  input[type='file'] {
    max-width: 100%;
  }
  select {
    text-overflow: ellipsis;
  }
  input[type='checkbox'],
  input[type='radio'] {
    width: 1.2em;
    height: 1.2em;
    margin: 0;
    flex: none;
    accent-color: var(--accent);
  }
  input[type='range'] {
    width: 100%;
    min-height: 1.5rem;
    margin: 0;
    accent-color: var(--accent);
  }
  input[aria-invalid='true'] {
    border-color: var(--alarm);
  }
  .field {
    display: grid;
    gap: 0.2em;
    min-width: 0;
    align-content: start;
  }
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 10em), 1fr));
    gap: 0.75em 1em;
  }
  .label {
    display: flex;
    align-items: center;
    gap: 0.35em;
    min-height: 1.5rem;
    font-size: 0.85em;
    color: var(--soft);
  }
  .check {
    display: flex;
    align-items: center;
    gap: 0.5em;
    min-height: 1.75em;
  }
  summary {
    cursor: pointer;
    min-height: 1.6rem;
    padding-block: 0.15em;
    border-radius: 0.3em;
    color: var(--soft);
  }
  summary:hover {
    color: var(--accent);
  }
  @media print {
    .noprint {
      display: none !important;
    }
    section,
    .reading {
      break-inside: auto;
      box-shadow: none !important;
    }
    tr,
    svg,
    .group {
      break-inside: avoid;
    }
  }
`;
