import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** jsPsych's style carries fonts as data: URLs, which the page's content security policy forbids; the system's own do. */
const withoutFonts: Plugin = {
  name: 'without-fonts',
  enforce: 'pre',
  transform: (code, id) => (id.endsWith('jspsych.css') ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined),
}

export default defineConfig({
  // Every address in the page is relative: the same files work at a server's root and in any of its folders.
  base: './',
  plugins: [withoutFonts, svelte()],
  build: {
    outDir: '../src/pellucid/web/static',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The viewer, and the page of an experiment, which is served below /e/NAME/.
    rolldownOptions: { input: ['index.html', 'experiment.html'] },
    // A picture inlined as a data: URL would need a hole in the page's content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    // The page carries parts of its libraries, so it carries their licences too.
    license: { fileName: 'licenses.md' },
  },
  server: {
    // `npm run dev` beside `pellucid serve STUDY`, or `pellucid experiment serve STUDY`.
    proxy: Object.fromEntries(['/data', '/labels', '/live', '/e'].map((path) => [path, process.env['PELLUCID_SERVER'] ?? 'http://127.0.0.1:8000'])),
  },
  test: { include: ['tests/**/*.test.ts'] },
})
