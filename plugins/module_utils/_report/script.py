# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script of the HTML report: sorts and filters the table. The report is complete without it."""

from __future__ import annotations

SCRIPT = """
(function(){
'use strict';
var root=document.documentElement;root.classList.add('js');
var body=document.querySelector('#certificates tbody');if(!body)return;
var rows=Array.prototype.slice.call(body.rows),first=rows.slice();
var texts=new Map(),box=document.getElementById('filter'),shown=document.getElementById('shown');
var tiles=Array.prototype.slice.call(document.querySelectorAll('button.tile')),states=new Set(),timer=0;
function textOf(row){
  var found=texts.get(row);
  if(found===undefined){found=row.textContent.toLowerCase();texts.set(row,found);}
  return found;
}
function apply(){
  var words=box.value.toLowerCase().split(/\\s+/).filter(Boolean),count=0;
  rows.forEach(function(row){
    var fits=(!states.size||states.has(row.dataset.state))&&
      words.every(function(word){return textOf(row).includes(word);});
    row.hidden=!fits;if(fits)count++;
  });
  shown.textContent=count+' of '+rows.length+' rows';
}
box.addEventListener('input',function(){clearTimeout(timer);timer=setTimeout(apply,80);});
tiles.forEach(function(tile){
  tile.addEventListener('click',function(){
    var state=tile.dataset.state;
    if(states.has(state))states.delete(state);else states.add(state);
    tile.setAttribute('aria-pressed',String(states.has(state)));apply();
  });
});
document.getElementById('reset').addEventListener('click',function(){
  box.value='';states.clear();
  tiles.forEach(function(tile){tile.setAttribute('aria-pressed','false');});
  heads.forEach(function(head){head.removeAttribute('aria-sort');});
  order(first);apply();
});
function order(sorted){
  var part=document.createDocumentFragment();
  sorted.forEach(function(row){part.appendChild(row);});body.appendChild(part);
}
var heads=Array.prototype.slice.call(document.querySelectorAll('#certificates th[data-column]'));
var compare=new Intl.Collator('en',{numeric:true,sensitivity:'base'}).compare;
heads.forEach(function(head){
  var button=document.createElement('button');button.type='button';
  while(head.firstChild)button.appendChild(head.firstChild);
  head.appendChild(button);
  button.addEventListener('click',function(){
    var column=Number(head.dataset.column),down=head.getAttribute('aria-sort')==='ascending';
    var keyed=first.map(function(row){return [row.cells[column].dataset.sort||'',row];});
    keyed.sort(function(a,b){
      if(!a[0]||!b[0])return a[0]?-1:b[0]?1:0;
      return down?compare(b[0],a[0]):compare(a[0],b[0]);
    });
    heads.forEach(function(other){other.removeAttribute('aria-sort');});
    head.setAttribute('aria-sort',down?'descending':'ascending');
    order(keyed.map(function(pair){return pair[1];}));
  });
});
apply();
})();
"""
