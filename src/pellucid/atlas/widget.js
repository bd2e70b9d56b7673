// The map of `AtlasWidget`. A cell is [row, column, count, label, stable]; the map's sides are 0 to 1.

const LARGEST = 48 // times nearer
const WANTED = 40 // pixels that a cell should have before the next finer level is taken

export default { render }

function render({ model, el }) {
  const root = document.createElement('div')
  const canvas = document.createElement('canvas')
  const line = document.createElement('div')
  canvas.tabIndex = 0
  canvas.setAttribute('role', 'img')
  canvas.style.cssText = 'display:block;width:100%;touch-action:none;cursor:grab;background:#fff'
  line.setAttribute('role', 'status')
  line.style.cssText = 'font:13px system-ui,sans-serif;padding:4px 2px;min-height:1.4em'
  root.append(canvas, line)
  el.append(root)

  const levels = model.get('_levels')
  const sheets = levels.map(() => null)
  const view = { scale: 1, x: 0.5, y: 0.5 } // the middle of what is seen
  let hovered = null
  let drag = null
  let gone = false

  levels.forEach(async (level, index) => {
    const bytes = model.get('_sheets')[index]
    sheets[index] = await createImageBitmap(new Blob([bytes], { type: level.type }))
    if (!gone) draw()
  })

  const side = () => Math.min(canvas.clientWidth, canvas.clientHeight) * view.scale
  const toMap = (px, py) => [
    view.x + (px - canvas.clientWidth / 2) / side(),
    view.y + (py - canvas.clientHeight / 2) / side(),
  ]

  function shownLevel() {
    const fits = levels.findLastIndex((level) => side() / level.grid >= WANTED)
    return Math.max(0, fits)
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1
    canvas.style.height = `${model.get('height')}px`
    canvas.width = Math.round(canvas.clientWidth * ratio)
    canvas.height = Math.round(canvas.clientHeight * ratio)
    const pen = canvas.getContext('2d')
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight)
    const number = shownLevel()
    const level = levels[number]
    const sheet = sheets[number]
    const shown = model.get('_shown')[number]
    const size = side() / level.grid
    const left = canvas.clientWidth / 2 - view.x * side()
    const top = canvas.clientHeight / 2 - view.y * side()
    level.cells.forEach(([row, column], index) => {
      const x = left + column * size
      const y = top + row * size
      if (x > canvas.clientWidth || y > canvas.clientHeight || x + size < 0 || y + size < 0) return
      if (sheet === null) {
        pen.strokeStyle = 'rgba(128,128,128,0.3)'
        pen.strokeRect(x, y, size, size)
        return
      }
      pen.globalAlpha = shown ? shown[index] : 1
      const from = [(index % level.columns) * level.size, Math.floor(index / level.columns) * level.size]
      pen.drawImage(sheet, ...from, level.size, level.size, x, y, size, size)
      pen.globalAlpha = 1
    })
    for (const [cell, colour] of [[hovered, '#888'], [chosen(), '#000']]) {
      if (cell === null || cell[0] !== level.grid) continue
      pen.strokeStyle = colour
      pen.lineWidth = 3
      pen.strokeRect(left + cell[2] * size, top + cell[1] * size, size, size)
    }
    canvas.setAttribute('aria-label', `${model.get('title')}, ${level.grid} x ${level.grid} cells`)
    canvas.dataset.grid = level.grid
    canvas.dataset.ready = sheet === null ? '' : 'yes'
    say()
  }

  function chosen() {
    const cell = model.get('selected')
    return cell.length ? cell : null
  }

  function say() {
    const place = hovered ?? chosen()
    const level = place && levels.find((one) => one.grid === place[0])
    const cell = level && level.cells.find((one) => one[0] === place[1] && one[1] === place[2])
    if (!cell) {
      line.textContent = model.get('title')
      return
    }
    const name = (model.get('_classes')[cell[3]] ?? '').split(',')[0]
    const label = name ? `${name}${cell[4] ? '' : ' (unstable)'}, ` : ''
    line.textContent = `${label}average of ${cell[2]} activations, cell ${place.join('.')}`
  }

  function cellAt(event) {
    const box = canvas.getBoundingClientRect()
    const [x, y] = toMap(event.clientX - box.left, event.clientY - box.top)
    const level = levels[shownLevel()]
    const [row, column] = [Math.floor(y * level.grid), Math.floor(x * level.grid)]
    return level.cells.some((cell) => cell[0] === row && cell[1] === column) ? [level.grid, row, column] : null
  }

  function nearer(factor, px, py) {
    const before = toMap(px, py)
    view.scale = Math.min(LARGEST, Math.max(1, view.scale * factor))
    const after = toMap(px, py)
    view.x = clamp(view.x + before[0] - after[0])
    view.y = clamp(view.y + before[1] - after[1])
    draw()
  }

  canvas.addEventListener('wheel', (event) => {
    event.preventDefault()
    const box = canvas.getBoundingClientRect()
    nearer(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top)
  }, { passive: false })
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId)
    drag = { x: event.clientX, y: event.clientY, moved: false }
  })
  canvas.addEventListener('pointermove', (event) => {
    if (drag) {
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y]
      if (!drag.moved && Math.hypot(dx, dy) < 4) return
      drag = { x: event.clientX, y: event.clientY, moved: true }
      view.x = clamp(view.x - dx / side())
      view.y = clamp(view.y - dy / side())
      hovered = null
    } else {
      hovered = cellAt(event)
    }
    draw()
  })
  canvas.addEventListener('pointerup', (event) => {
    if (drag && !drag.moved) {
      model.set('selected', cellAt(event) ?? [])
      model.save_changes()
    }
    drag = null
    draw()
  })
  canvas.addEventListener('pointerleave', () => {
    hovered = null
    draw()
  })
  canvas.addEventListener('keydown', (event) => {
    const step = 40 / side()
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }
    const [px, py] = [canvas.clientWidth / 2, canvas.clientHeight / 2]
    if (event.key in moves) {
      view.x = clamp(view.x + moves[event.key][0])
      view.y = clamp(view.y + moves[event.key][1])
      draw()
    } else if (event.key === '+' || event.key === '=') nearer(1.5, px, py)
    else if (event.key === '-') nearer(1 / 1.5, px, py)
    else if (event.key === 'Escape') {
      model.set('selected', [])
      model.save_changes()
    } else return
    event.preventDefault()
    event.stopPropagation() // a notebook has keys of its own
  })

  const events = ['change:selected', 'change:_shown', 'change:height']
  for (const event of events) model.on(event, draw)
  const observer = new ResizeObserver(draw)
  observer.observe(canvas)
  draw()
  return () => {
    gone = true
    observer.disconnect()
    for (const event of events) model.off(event, draw)
  }
}

function clamp(share) {
  return Math.min(1, Math.max(0, share))
}
