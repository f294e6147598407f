// one slice of a sheet of many, beside and below each other, as large as the canvas
function drawSlice(canvas, sheet, number, { columns, tile: [height, width] }) {
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(sheet, number % columns * width, Math.floor(number / columns) * height, width, height, 0, 0, canvas.width, canvas.height);
}
