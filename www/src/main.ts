/** The playground's own page. */
import './styles/page.css';
import { keepOffline } from './engine/assets.js';
import './public/lucarne-playground.js';

const playground = document.querySelector('lucarne-playground');
playground?.addEventListener('lucarne-language', (event) => {
  document.documentElement.lang = (event as CustomEvent<string>).detail;
});
void keepOffline();
