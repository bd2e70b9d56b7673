import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Every address in the page is relative: the same files work at a server's root and in any of its folders.
  base: './',
  plugins: [svelte()],
  build: {
    outDir: '../src/pellucid/web/static',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // A picture inlined as a data: URL would need a hole in the page's content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    // The page carries parts of its libraries, so it carries their licences too.
    license: { fileName: 'licenses.md' },
  },
  server: {
    // `npm run dev` beside `pellucid serve STUDY`.
    proxy: Object.fromEntries(['/data', '/labels'].map((path) => [path, process.env['PELLUCID_SERVER'] ?? 'http://127.0.0.1:8000'])),
  },
  test: { include: ['tests/**/*.test.ts'] },
})
