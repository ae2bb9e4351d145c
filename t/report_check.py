"""What t/027_report.pl wants to know of a report and of a picture of it, as JSON.

    report_check.py page FILE       its tables by caption, its text, and what is wrong with it
    report_check.py picture FILE    width, height, number of different colours of a PNG
"""
import json
import re
import struct
import sys
import xml.etree.ElementTree as tree
import zlib


def text_of(element):
    return ''.join(element.itertext())


def cell_text(element):
    """Without the tooltips of the cell's bars."""
    return (element.text or '') + ''.join(('' if part.tag == 'svg' else cell_text(part)) + (part.tail or '') for part in element)


def page(path):
    with open(path, encoding='utf-8') as file:
        source = file.read()
    root = tree.fromstring(source)      # an error where tags do not match, or a character or attribute is not allowed
    problems = []
    identifiers = [e.get('id') for e in root.iter() if e.get('id')]
    if len(set(identifiers)) != len(identifiers):
        problems.append('an id stands twice')
    for element in root.iter():
        if element.tag.lower() in ('script', 'link', 'img', 'iframe', 'object', 'embed', 'base', 'image', 'use', 'foreignobject', 'form'):
            problems.append(f'<{element.tag}>')
        for attribute, value in element.attrib.items():
            if attribute in ('src', 'srcset', 'data', 'action', 'style', 'poster') or attribute.startswith('on'):
                problems.append(f'{element.tag} {attribute}={value}')
            if attribute.endswith('href') and not (value.startswith('#') and value[1:] in identifiers):
                problems.append(f'href={value}')
            if attribute == 'aria-labelledby' and not set(value.split()) <= set(identifiers):
                problems.append(f'aria-labelledby={value}')
            if attribute in ('width', 'height') and float(value.rstrip('%')) < 0:
                problems.append(f'{attribute}={value}')
            if element.tag in ('rect', 'line', 'polyline', 'polygon', 'text') and re.search(r'nan|inf|None', value):
                problems.append(f'{element.tag} {attribute}={value}')
        if element.tag == 'svg' and element.get('role') == 'img' and (element.find('title') is None or element.find('desc') is None):
            problems.append('a chart without title or desc')
    style = ''.join(text_of(e) for e in root.iter('style'))
    if re.search(r'url\(|@import|@font-face', style):
        problems.append('the style sheet refers to something')
    tables = {}
    for table in root.iter('table'):
        rows = [[cell_text(cell) for cell in row] for row in table.find('tbody')]
        tables[text_of(table.find('caption'))] = rows
    body = root.find('body')
    return {'problems': problems, 'tables': tables, 'text': text_of(body), 'title': text_of(root.find('head/title')),
            'charts': sum(1 for e in root.iter('svg') if e.get('role') == 'img')}


def picture(path):
    """Of a PNG as Chromium writes it: eight bits a channel, not interlaced."""
    with open(path, 'rb') as file:
        data = file.read()
    at, packed = 8, b''
    while at < len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        chunk = data[at + 8:at + 8 + length]
        at += 12 + length
        if kind == b'IHDR':
            width, height, depth, colour, _, _, interlaced = struct.unpack('>IIBBBBB', chunk)
        elif kind == b'IDAT':
            packed += chunk
    assert (depth, interlaced) == (8, 0) and colour in (2, 6)
    size = {2: 3, 6: 4}[colour]
    raw = zlib.decompress(packed)
    stride, above, colours = width * size, bytearray(width * size), set()
    for y in range(height):
        start = y * (stride + 1)
        kind, row = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        for i in range(stride) if kind else ():
            left, up, corner = row[i - size] if i >= size else 0, above[i], above[i - size] if i >= size else 0
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = up
            elif kind == 3:
                guess = (left + up) // 2
            else:
                distances = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
                guess = (left, up, corner)[distances.index(min(distances))]
            row[i] = (row[i] + guess) & 255
        colours.update(bytes(row[i:i + 3]) for i in range(0, stride, size))
        above = row
    return {'width': width, 'height': height, 'colours': len(colours), 'hex': sorted(c.hex() for c in colours)}


print(json.dumps({'page': page, 'picture': picture}[sys.argv[1]](sys.argv[2])))
