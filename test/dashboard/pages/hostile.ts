/** What somebody might enqueue who hopes that it becomes markup, or something else than a text. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  `' onmouseover='alert(1)`,
  '</title></pre><!--',
  '&lt;script&gt;',
]
