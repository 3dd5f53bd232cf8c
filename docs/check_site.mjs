// Opens every page of the built site in Chromium and fails on a broken link, a picture that doesn't load, or an error in
// the console. CHROMIUM names the browser, /usr/bin/chromium where it is unset.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const site = fileURLToPath(new URL('../site', import.meta.url));
const pages = readdirSync(site, { recursive: true })
  .filter((file) => file.endsWith('.html'))
  .map((file) => join(site, file));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--allow-file-access-from-files',
  ],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
const problems = [];
const targets = new Map();
page.on('console', (message) => {
  if (message.type() === 'error') problems.push(`${page.url()}: ${message.text()}`);
});

for (const file of pages) {
  await page.goto(pathToFileURL(file).href);
  const { images, links, ids } = await page.evaluate(() => ({
    images: [...document.images]
      .filter((image) => image.complete && image.naturalWidth === 0)
      .map((image) => image.src),
    links: [...document.querySelectorAll('a[href]')].map((a) => a.href),
    ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
  }));
  const name = relative(site, file);
  problems.push(...images.map((src) => `${name}: picture ${src} does not load`));
  targets.set(pathToFileURL(file).href, { name, ids: new Set(ids), links });
}
for (const { name, links } of targets.values()) {
  for (const link of new Set(links)) {
    if (!link.startsWith('file:')) continue;
    const [url, id] = link.split('#');
    if (!existsSync(fileURLToPath(url))) problems.push(`${name}: ${relative(site, fileURLToPath(url))} does not exist`);
    else if (id && targets.has(url) && !targets.get(url).ids.has(decodeURIComponent(id)))
      problems.push(`${name}: no #${id} in ${url}`);
  }
}
if (process.argv[2]) {
  await page.goto(pathToFileURL(join(site, 'index.html')).href);
  await page.screenshot({ path: process.argv[2], fullPage: true });
}
await browser.close();
console.log(`${pages.length} pages, ${problems.length} problems`);
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
