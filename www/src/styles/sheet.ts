import { css } from 'lit';

/** The frame of a page beside the playground: a sheet with its heading, and links to the other pages. */
export const sheet = css`
  article {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.5em;
    padding: var(--gap);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--card);
    box-shadow: var(--shadow);
  }
  h2 {
    font-size: 1.9em;
    line-height: 1.15;
    letter-spacing: -0.015em;
  }
  /* It takes the focus so that reading goes on here; it is nothing to press. */
  h2:focus-visible {
    outline: none;
  }
  h3 {
    font-size: 1.15em;
  }
  section {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.5em;
  }
  nav {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.3em 1.2em;
  }
  nav a {
    display: inline-flex;
    align-items: center;
    min-height: 1.6rem;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.15em;
  }
`;
